"""Domain events: what happened to a business, each once, from Stripe's events. Pure."""

from collections.abc import Callable, Mapping

from gateway.rows import Json
from gateway.stripe_api.fields import as_dict, as_list, stripe_id
from gateway.vocabulary import PAID_SUBSCRIPTION

#: Fields of a subscription besides its items; their change concerns the buyer.
_CHANGES = (
    "cancel_at",
    "cancel_at_period_end",
    "discounts",
    "pause_collection",
    "quantity",
    "status",
    "trial_end",
)

#: The event's object, and what an update replaced ({} otherwise).
_Condition = Callable[[Json, Json], bool]


def _is_paid(session: Json, before: Json) -> bool:
    is_purchase = session.get("mode") in ("payment", "subscription")
    return is_purchase and session.get("payment_status") in ("paid", "no_payment_required")


def _has_started(subscription: Json, before: Json) -> bool:
    """Created with access, or paid for the first time."""
    is_paid = subscription.get("status") in PAID_SUBSCRIPTION
    return is_paid and before.get("status") in (None, "incomplete")


def _starts_later(subscription: Json, before: Json) -> bool:
    return before.get("status") == "incomplete" and _has_started(subscription, before)


def _is_changed(subscription: Json, before: Json) -> bool:
    """Whether the plan, quantity, end, pause, discount or status changed; not by a renewal."""
    if before.get("status") == "incomplete":
        return False
    if any(name in before for name in _CHANGES):
        return True
    return "items" in before and _lines(before) != _lines(subscription)


def _lines(subscription: Json) -> list[tuple[str, object]]:
    """Return price and quantity of each item; a renewal changes only the items' periods."""
    items = as_list(as_dict(subscription.get("items")).get("data"))
    return sorted(
        (stripe_id(item.get("price")), str(item.get("quantity"))) for item in map(as_dict, items)
    )


def _has_ended(subscription: Json, before: Json) -> bool:
    """One that was never paid expires instead (``incomplete_expired``)."""
    return subscription.get("status") == "canceled"


def _is_refunded(refund: Json, before: Json) -> bool:
    return refund.get("status") == "succeeded" and before.get("status") != "succeeded"


def _becomes_refunded(refund: Json, before: Json) -> bool:
    return "status" in before and _is_refunded(refund, before)


def _always(item: Json, before: Json) -> bool:
    return True


#: Domain event → Stripe event type → condition.
DOMAIN: Mapping[str, Mapping[str, _Condition]] = {
    # A Checkout Session is paid for, or needs no payment (a trial, a free price).
    "purchase.completed": {
        "checkout.session.completed": _is_paid,
        "checkout.session.async_payment_succeeded": _is_paid,
    },
    "subscription.started": {
        "customer.subscription.created": _has_started,
        "customer.subscription.updated": _starts_later,
    },
    "subscription.changed": {"customer.subscription.updated": _is_changed},
    "subscription.ended": {"customer.subscription.deleted": _has_ended},
    # Of an invoice, or of a delayed payment at Checkout; not each declined card of a buyer who is
    # still at Checkout.
    "payment.failed": {
        "invoice.payment_failed": _always,
        "checkout.session.async_payment_failed": _always,
    },
    # The money is on its way to the buyer.
    "refund.completed": {
        "refund.created": _is_refunded,
        "refund.updated": _becomes_refunded,
    },
    "dispute.opened": {"charge.dispute.created": _always},
}


def find_domain_events(type: str, item: Json, previous: Json | None) -> frozenset[str]:
    """Return the domain events of a Stripe event, without its kind of notification.

    Args:
        item: the event's object.
        previous: what an update replaced (``previous_attributes``).
    """
    before = previous or {}
    return frozenset(
        name for name, types in DOMAIN.items() if type in types and types[type](item, before)
    )
