"""Which state of a subscription each request needs: 409 with a code for every other one."""

from gateway.billing.subscription import OwnedSubscription, conflict, describe_payment, require_live
from gateway.errors import Conflict
from gateway.shapes import mapping

#: Statuses in which what is owed is paid.
_PAID = ("active", "trialing")


def require_changeable(subscription: OwnedSubscription) -> None:
    """Refuse another plan or quantity where it can't be charged, or gives nothing.

    Raises:
        Conflict: it has ended, a schedule of the seller's manages it, its collection is paused,
            or it is not paid; then ``data`` says how to pay.
    """
    require_live(subscription)
    require_unscheduled(subscription)
    require_collecting(subscription)
    if subscription.status not in _PAID:
        raise unpaid(subscription)


def require_unscheduled(subscription: OwnedSubscription) -> None:
    """Refuse what a schedule decides that this gateway did not make.

    Raises:
        Conflict
    """
    if subscription.body.get("schedule") and not subscription.planned:
        raise conflict("subscription_scheduled", "A schedule decides about this subscription.")


def require_unplanned(subscription: OwnedSubscription) -> None:
    """Refuse what any schedule would undo, or Stripe's portal can't do under one.

    Raises:
        Conflict
    """
    require_unscheduled(subscription)
    if subscription.planned:
        message = "A change is planned for the end of the period: take it back first, by /resume."
        raise conflict("change_planned", message)


def require_collecting(subscription: OwnedSubscription) -> None:
    """Refuse what is meaningless while the seller collects nothing.

    A charge would give nothing, and a discount would be used up by invoices that nobody pays.

    Raises:
        Conflict
    """
    if mapping(subscription.body.get("pause_collection")):
        message = "The seller has paused the collection of payments for this subscription."
        raise conflict("collection_paused", message)


def require_settled(subscription: OwnedSubscription) -> None:
    """Refuse to prorate a period that may never be paid: the credit for it would be real.

    Invoices that are sent stay open while the subscription is active, and so does the subscription
    of an invoice that was given up.

    Raises:
        Conflict: it says how to pay.
    """
    is_sent = subscription.body.get("collection_method") == "send_invoice"
    owed = ("open", "uncollectible") if is_sent else ("uncollectible",)
    if subscription.invoice.get("status") in owed:
        raise unpaid(subscription)


def unpaid(subscription: OwnedSubscription) -> Conflict:
    """Return the error for a subscription that has to be paid first; it says how."""
    code, message = "subscription_unpaid", "The subscription has to be paid first."
    if subscription.status == "incomplete":
        code = "subscription_incomplete"
        message = "Nothing is paid yet: pay the first invoice, or cancel now and buy again."
    reason = {"code": code, "message": message}
    return Conflict(message, {"subscription": describe_payment(subscription) | reason})
