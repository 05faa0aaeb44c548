"""The event types that a webhook endpoint needs. Pure."""

from collections.abc import Iterable

import stripe

from gateway.mirror.registry import REGISTRY
from gateway.notifications.handler_events import STRIPE_TYPES, types_of

#: The API version of the SDK, in which the endpoint's events are written.
PINNED_VERSION: str = stripe.api_version
#: All event types, except those that Stripe sends only when they are selected by name.
ALL_EVENTS = "*"

#: Objects of types with another name; the longest prefix counts.
_OBJECTS = {
    "account.external_account.": "bank_account",
    "application_fee.refund.": "fee_refund",
    "charge.dispute.": "dispute",
    "charge.refund.": "refund",
    "customer.discount.": "discount",
    "customer.source.": "source",
    "customer.subscription.": "subscription",
    "customer.tax_id.": "tax_id",
    "issuing_authorization.": "issuing.authorization",
    "issuing_card.": "issuing.card",
    "issuing_cardholder.": "issuing.cardholder",
    "issuing_dispute.": "issuing.dispute",
    "issuing_transaction.": "issuing.transaction",
    "sigma.scheduled_query_run.": "scheduled_query_run",
}


def object_of(event_type: str) -> str:
    """Return the ``object`` that events of a type show: ``subscription``, ``payout`` …"""
    matching = [prefix for prefix in _OBJECTS if event_type.startswith(prefix)]
    return _OBJECTS[max(matching, key=len)] if matching else event_type.rpartition(".")[0]


def handled_types(objects: Iterable[str] = (), topics: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the event types that change a collection of the mirror or call a handler, sorted.

    Args:
        objects: further objects that the app mirrors, such as ``payout``.
        topics: the topics of the app's event handlers.
    """
    mirrored = {each.object for each in REGISTRY} | set(objects)
    types = {each for each in STRIPE_TYPES if object_of(each) in mirrored}
    return tuple(sorted(types | types_of(topics)))
