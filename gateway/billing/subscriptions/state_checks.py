"""Checks that a subscription's state allows a request; otherwise the answer is 409 with a code."""

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
    """Refuse a change of plan or quantity that can't be charged, or would have no use.

    Raises:
        Conflict: it has ended, the seller's schedule manages it, its collection is paused, or it is
            unpaid; then ``data`` has the invoice to pay.
    """
    require_live(subscription)
    require_unscheduled(subscription)
    require_collecting(subscription)
    if subscription.status not in PAID_SUBSCRIPTION:
        raise unpaid(subscription)


def require_unscheduled(subscription: CustomerSubscription) -> None:
    """Refuse a change of a subscription that the seller's schedule manages.

    Raises:
        Conflict
    """
    if subscription.body.get("schedule") and not subscription.planned:
        raise conflict(
            "subscription_scheduled", "The seller manages this subscription by a schedule."
        )


def require_unplanned(subscription: CustomerSubscription) -> None:
    """Refuse requests that a schedule would undo, or that the portal can't do under one.

    Raises:
        Conflict
    """
    require_unscheduled(subscription)
    if subscription.planned:
        message = "A change is planned for the period's end: undo it first, with /resume."
        raise conflict("change_planned", message)


def require_collecting(subscription: CustomerSubscription) -> None:
    """Refuse requests that have no use while collection is paused.

    A charge would have no effect, and voided invoices would use up a discount.

    Raises:
        Conflict
    """
    if as_dict(subscription.body.get("pause_collection")):
        message = "The seller has paused the collection of payments for this subscription."
        raise conflict("collection_paused", message)


def require_settled(subscription: CustomerSubscription) -> None:
    """Refuse to prorate an unpaid period: its credit could be spent without a payment.

    The subscription stays active while a sent invoice is open, and after an invoice was marked
    uncollectible.

    Raises:
        Conflict: ``data`` has the invoice to pay.
    """
    is_invoiced = subscription.body.get("collection_method") == "send_invoice"
    owed = ("open", "uncollectible") if is_invoiced else ("uncollectible",)
    if subscription.invoice.get("status") in owed:
        raise unpaid(subscription)


def unpaid(subscription: CustomerSubscription) -> Conflict:
    """Return the error for an unpaid subscription; ``data`` has the invoice to pay."""
    code, message = "subscription_unpaid", "Pay the open invoice of the subscription first."
    if subscription.status == "incomplete":
        code = "subscription_incomplete"
        message = "The first invoice is not paid: pay it, or cancel now and buy again."
    reason = {"code": code, "message": message}
    return Conflict(message, {"subscription": describe_payment(subscription) | reason})
