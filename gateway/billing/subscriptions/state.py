"""Checks that a subscription's state allows a request: otherwise 409 with a code."""

from gateway.billing.subscriptions.subscription import (
    CustomerSubscription,
    conflict,
    describe_payment,
    require_live,
)
from gateway.errors import Conflict
from gateway.stripe_api.fields import as_dict
from gateway.vocabulary import PAID_SUBSCRIPTION


def require_changeable(subscription: CustomerSubscription) -> None:
    """Refuse a change of plan or quantity that can't be charged, or would give nothing.

    Raises:
        Conflict: it has ended, a schedule of the seller's manages it, its collection is paused,
            or it is unpaid; then ``data`` has the invoice to pay.
    """
    require_live(subscription)
    require_unscheduled(subscription)
    require_collecting(subscription)
    if subscription.status not in PAID_SUBSCRIPTION:
        raise unpaid(subscription)


def require_unscheduled(subscription: CustomerSubscription) -> None:
    """Refuse a change of a subscription under a schedule of the seller's.

    Raises:
        Conflict
    """
    if subscription.body.get("schedule") and not subscription.planned:
        raise conflict(
            "subscription_scheduled", "A schedule of the seller manages this subscription."
        )


def require_unplanned(subscription: CustomerSubscription) -> None:
    """Refuse requests that any schedule would undo, or that the portal can't do under one.

    Raises:
        Conflict
    """
    require_unscheduled(subscription)
    if subscription.planned:
        message = "A change is planned for the period's end: take it back first, with /resume."
        raise conflict("change_planned", message)


def require_collecting(subscription: CustomerSubscription) -> None:
    """Refuse requests that have no use while collection is paused.

    A charge would give nothing, and invoices that are voided would use up a discount.

    Raises:
        Conflict
    """
    if as_dict(subscription.body.get("pause_collection")):
        message = "The seller has paused the collection of payments for this subscription."
        raise conflict("collection_paused", message)


def require_settled(subscription: CustomerSubscription) -> None:
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


def unpaid(subscription: CustomerSubscription) -> Conflict:
    """Return the error for an unpaid subscription; ``data`` has the invoice to pay."""
    code, message = "subscription_unpaid", "The subscription has to be paid first."
    if subscription.status == "incomplete":
        code = "subscription_incomplete"
        message = "The first invoice is not paid: pay it, or cancel now and buy again."
    reason = {"code": code, "message": message}
    return Conflict(message, {"subscription": describe_payment(subscription) | reason})
