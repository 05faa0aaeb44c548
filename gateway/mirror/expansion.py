"""Undoes the expansion of references in objects that were read from Stripe. Pure.

A request expands what it needs at once. The row shows the object as an event does, with ids, and
each referenced object has a row of its own.
"""

from typing import Any

from gateway.rows import Json

#: By ``object``: what Stripe embeds at the top of another object only when asked.
_REFERENCED = frozenset(
    {
        "charge",
        "customer",
        "invoice",
        "payment_intent",
        "payment_method",
        "setup_intent",
        "subscription",
        "subscription_schedule",
    }
)


def collapse(item: Json) -> Json:
    """Return an object with ids in place of expanded references."""
    return {name: _collapse_value(name, value) for name, value in item.items()}


def _collapse_value(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return value["id"] if value.get("id") and value.get("object") in _REFERENCED else value
    # `discount`, which older API versions embed, is not a list.
    if name == "discounts" and isinstance(value, list):
        return [each["id"] if isinstance(each, dict) and "id" in each else each for each in value]
    return value
