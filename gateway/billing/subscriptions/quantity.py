"""The quantity after a change: within the terms, or the number of members. Pure.

Members are counted in PocketBase: Stripe's quantity is out of date until the seat sync has run.
"""

from collections.abc import Sequence

from gateway.billing.subscriptions.item_change import ItemChange
from gateway.billing.subscriptions.subscription import CustomerSubscription
from gateway.customers.buyer import Price
from gateway.errors import invalid_field
from gateway.price_terms import PriceTerms, TermsFile
from gateway.rows import Json
from gateway.stripe_api.fields import as_number, stripe_id


def check_quantity(change: ItemChange, terms: PriceTerms) -> ItemChange:
    """Return the change if the terms allow its quantity.

    Raises:
        InvalidRequest: they don't allow it.
    """
    quantity = change.quantity or 1
    if change.is_new and not terms.min_quantity <= quantity <= terms.max_quantity:
        bounds = f"from {terms.min_quantity} to {terms.max_quantity}"
        message = f"This price is sold in quantities {bounds}; this would be {quantity}."
        raise invalid_field("quantity", "quantity_not_sold", message)
    return change


def count_seats(subscription: CustomerSubscription, terms: PriceTerms) -> int:
    """Return the number of members, at least the price's minimum."""
    return max(subscription.seats, terms.min_quantity)


def count_present(subscription: CustomerSubscription, item: Json, price: Price | None) -> int:
    """Return the present quantity, for a request without one."""
    if price and subscription.seats and price.is_by_member:
        return subscription.seats
    return int(as_number(item.get("quantity"))) or 1


def find_by_member(
    subscription: CustomerSubscription, change: ItemChange, prices: Sequence[Price]
) -> tuple[str, ...]:
    """Return the ids of prices paid per member, among the present ones and the new one."""
    if not subscription.seats:
        return ()
    names = {change.price, *(stripe_id(item.get("price")) for item in subscription.items)}
    licensed = [price for price in prices if price.usage_type != "metered"]
    found = {price.stripe_id for price in licensed if price.is_by_member}
    return tuple(sorted(names & found))


def correct_others(
    subscription: CustomerSubscription,
    change: ItemChange,
    by_member: Sequence[str],
    prices: Sequence[Price],
    terms_file: TermsFile,
) -> tuple[tuple[str, int], ...]:
    """Return (id, members) of the other items whose quantity at Stripe is out of date."""
    known = {price.stripe_id: price for price in prices}
    found = []
    for item in subscription.items:
        price = known.get(stripe_id(item.get("price")))
        if item is change.item or price is None or price.stripe_id not in by_member:
            continue
        seats = (terms_file.find(price) or PriceTerms()).fit(subscription.seats)
        if seats != item.get("quantity"):
            found.append((stripe_id(item), seats))
    return tuple(found)
