"""Sets the seats of a subscription with a planned change, in the phases of its schedule.

The next phase would undo a change of the subscription alone.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import stripe

from gateway.rows import Json
from gateway.stripe_api.fields import as_dict, as_list, as_number, as_text, stripe_id
from gateway.vocabulary import BY_MEMBER_METADATA

if TYPE_CHECKING:
    from stripe.params import SubscriptionScheduleUpdateParams


async def update_phases(client: stripe.StripeClient, schedule: str, quantity: int) -> None:
    """Set the quantity of items paid per member, in the present and the next phase.

    Args:
        schedule: its Stripe id.

    Raises:
        stripe.StripeError
    """
    found = (await client.v1.subscription_schedules.retrieve_async(schedule)).to_dict()
    params: SubscriptionScheduleUpdateParams = {
        "phases": set_quantity(found, quantity),
        "proration_behavior": "create_prorations",
    }
    await client.v1.subscription_schedules.update_async(schedule, params)


def set_quantity(schedule: Json, quantity: int) -> Any:
    """Return the present and future phases as parameters, with the new quantity. Pure."""
    by_member = as_text(as_dict(schedule.get("metadata")).get(BY_MEMBER_METADATA)).split(",")
    now = as_number(as_dict(schedule.get("current_phase")).get("start_date"))
    return [
        _describe(phase, by_member, quantity)
        for phase in as_list(schedule.get("phases"))
        if as_number(phase.get("start_date")) >= now
    ]


def _describe(phase: Json, by_member: Collection[str], quantity: int) -> dict[str, Any]:
    names = ("start_date", "end_date", "trial_end", "proration_behavior")
    found: dict[str, Any] = {name: phase[name] for name in names if phase.get(name)}
    found |= _references(phase, "default_tax_rates")
    found["items"] = [_item(item, by_member, quantity) for item in as_list(phase.get("items"))]
    return found


def _item(item: Json, by_member: Collection[str], quantity: int) -> dict[str, Any]:
    price = stripe_id(item.get("price"))
    found = {"price": price} | _references(item, "tax_rates")
    count = quantity if price in by_member else item.get("quantity")
    return found if count is None else found | {"quantity": count}


def _references(given: Json, rates: str) -> dict[str, Any]:
    """Return tax rates and discounts: an update without them would remove them."""
    found: dict[str, Any] = {}
    if names := [stripe_id(rate) for rate in given.get(rates) or []]:
        found[rates] = names
    kinds = ("discount", "coupon", "promotion_code")
    discounts = [
        {kind: stripe_id(discount.get(kind))}
        for discount in as_list(given.get("discounts"))
        for kind in kinds
        if discount.get(kind)
    ]
    return found | ({"discounts": discounts} if discounts else {})
