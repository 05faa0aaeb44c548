"""How many of a price a subscription has after a change: terms, and members as PocketBase counts.

Stripe's quantity of a seat may be out of date until the seat sync has run. Pure.
"""

from collections.abc import Sequence

from gateway.billing.item_change import ItemChange
from gateway.billing.subscription import OwnedSubscription
from gateway.buyer import Price
from gateway.errors import invalid_field
from gateway.plans import Plan, Plans
from gateway.shapes import number, stripe_id
from gateway.writes import Json


def check_quantity(change: ItemChange, plan: Plan) -> ItemChange:
    """Return a change whose quantity the terms allow.

    Raises:
        InvalidRequest: they do not.
    """
    quantity = change.quantity or 1
    if change.is_new and not plan.min_quantity <= quantity <= plan.max_quantity:
        bounds = f"from {plan.min_quantity} to {plan.max_quantity}"
        message = f"This price is sold in quantities {bounds}; this would be {quantity}."
        raise invalid_field("quantity", "quantity_not_sold", message)
    return change


def count_seats(subscription: OwnedSubscription, plan: Plan) -> int:
    """Return how many seats an organization takes: its members, or the least that is sold."""
    return max(subscription.seats, plan.min_quantity)


def count_present(subscription: OwnedSubscription, item: Json, price: Price | None) -> int:
    """The quantity that stays when a request names none."""
    if price and subscription.seats and price.is_by_member:
        return subscription.seats
    return int(number(item.get("quantity"))) or 1


def find_by_member(
    subscription: OwnedSubscription, change: ItemChange, prices: Sequence[Price]
) -> tuple[str, ...]:
    """Return the prices that are paid by member, of those that the subscription has and gets."""
    if not subscription.seats:
        return ()
    names = {change.price, *(stripe_id(item.get("price")) for item in subscription.items)}
    licensed = [price for price in prices if price.usage_type != "metered"]
    found = {price.stripe_id for price in licensed if price.is_by_member}
    return tuple(sorted(names & found))


def correct_others(
    subscription: OwnedSubscription,
    change: ItemChange,
    by_member: Sequence[str],
    prices: Sequence[Price],
    plans: Plans,
) -> tuple[tuple[str, int], ...]:
    """Return the other items, by id, that Stripe would bill by a number of members of before."""
    known = {price.stripe_id: price for price in prices}
    found = []
    for item in subscription.items:
        price = known.get(stripe_id(item.get("price")))
        if item is change.item or price is None or price.stripe_id not in by_member:
            continue
        seats = (plans.find(price) or Plan()).fit(subscription.seats)
        if seats != item.get("quantity"):
            found.append((stripe_id(item), seats))
    return tuple(found)
