"""What may be bought, on which terms: the one place that decides it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from gateway.buyer import Price
from gateway.checkout.standing import Standing
from gateway.errors import Conflict, invalid_field
from gateway.plans import Plan, Plans

Mode = Literal["payment", "subscription", "setup"]


class AlreadySubscribed(Conflict):
    """There is a running subscription already."""


@dataclass(frozen=True, slots=True)
class Item:
    """What is asked for: a price id or lookup key, and how many."""

    price: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Line:
    """An item whose price is for sale."""

    price: Price
    quantity: int
    plan: Plan = field(default_factory=Plan)


@dataclass(frozen=True, slots=True)
class Offer:
    """What is sold, on which terms."""

    mode: Mode
    lines: tuple[Line, ...] = ()
    trial_days: int = 0
    coupon: str = ""
    #: Whether codes are taken, and the Stripe id of the one that was given with the order.
    promotion_codes: bool = False
    promotion_code: str = ""
    countries: tuple[str, ...] = ()
    automatic_tax: bool = False
    tax_ids: bool = False
    billing_address: bool = False
    expires_minutes: int = 1440
    #: Whether the buyer may have but one such purchase under way.
    is_exclusive: bool = False


def decide(
    items: Sequence[Item],
    prices: Sequence[Price],
    plans: Plans,
    standing: Standing,
    seats: int = 0,
) -> Offer:
    """Decide on what is asked for.

    The prices decide the mode. A trial is given once, ever, and only for what all lines give it.
    Whoever has a running subscription of a group that takes one can't start another.

    Args:
        seats: the quantity of what an organization pays for by member; 0 for a user.

    Raises:
        InvalidRequest: not for sale, not in this quantity, or not together; ``data`` says which.
        AlreadySubscribed: one subscription is running, and the plan allows no second.
    """
    lines = resolve_items(_fill_seats(items, prices, seats), prices, plans)
    _refuse_mixed_currencies(lines)
    recurring = [line.plan for line in lines if line.price.type == "recurring"]
    single = {plan.group for plan in recurring if plan.subscriptions == "one"}
    if single & _held_groups(standing, plans):
        raise AlreadySubscribed("Change the running subscription instead of buying another.")
    trial_days = min((plan.trial_days for plan in recurring), default=0)
    trial_days = 0 if standing.trial_used else trial_days
    coupons = {line.plan.coupon for line in lines}
    coupon = coupons.pop() if len(coupons) == 1 else ""
    return Offer(
        mode=mode_of(lines),
        lines=lines,
        trial_days=trial_days,
        coupon=coupon,
        promotion_codes=not coupon and all(line.plan.promotion_codes for line in lines),
        countries=_common_countries(lines),
        automatic_tax=any(line.plan.automatic_tax for line in lines),
        tax_ids=any(line.plan.tax_ids for line in lines),
        billing_address=any(line.plan.billing_address for line in lines),
        expires_minutes=min(line.plan.expires_minutes for line in lines),
        is_exclusive=bool(single) or trial_days > 0,
    )


def require_promotion_codes(offer: Offer) -> None:
    """Refuse a code where the seller takes none, or has chosen a coupon.

    Raises:
        InvalidRequest
    """
    if not offer.promotion_codes:
        message = "No promotion codes are taken for this."
        raise invalid_field("promotion_code", "promotion_code_not_taken", message)


def resolve_items(items: Sequence[Item], prices: Sequence[Price], plans: Plans) -> tuple[Line, ...]:
    """Find each item's price among those PocketBase knows.

    Raises:
        InvalidRequest: a price is unknown, not for sale or not in this quantity; ``data`` names it.
    """
    known = {price.stripe_id: price for price in prices}
    known |= {price.lookup_key: price for price in prices if price.lookup_key and price.active}
    lines = []
    for place, item in enumerate(items):
        price = known.get(item.price)
        if price is None:
            raise invalid_field(
                f"items.{place}.price", "price_unknown", "This price is not for sale."
            )
        plan = plans.find(price)
        if plan is None or not plan.sells(price):
            raise invalid_field(
                f"items.{place}.price", "price_inactive", "This price is not for sale."
            )
        if not plan.min_quantity <= item.quantity <= plan.max_quantity:
            bounds = f"from {plan.min_quantity} to {plan.max_quantity}"
            message = f"This price is sold in quantities {bounds}."
            raise invalid_field(f"items.{place}.quantity", "quantity_not_sold", message)
        lines.append(Line(price, item.quantity, plan))
    return tuple(lines)


def _fill_seats(items: Sequence[Item], prices: Sequence[Price], seats: int) -> Sequence[Item]:
    """What is paid by member is bought for all members, whatever quantity is asked for."""
    by_member = {
        name
        for price in prices
        if price.is_by_member
        for name in (price.stripe_id, price.lookup_key)
    }
    if not seats:
        return items
    return [replace(item, quantity=seats) if item.price in by_member else item for item in items]


def mode_of(lines: Sequence[Line]) -> Mode:
    """The prices decide the mode: one recurring price makes it a subscription."""
    recurring = any(line.price.type == "recurring" for line in lines)
    return "subscription" if recurring else "payment"


def _refuse_mixed_currencies(lines: Sequence[Line]) -> None:
    for place, line in enumerate(lines):
        if line.price.currency != lines[0].price.currency:
            message = "One purchase has one currency."
            raise invalid_field(f"items.{place}.price", "currency_mixed", message)


def _held_groups(standing: Standing, plans: Plans) -> set[str]:
    """The groups of all that is running; a price that nobody knows is of the default group."""
    known = {price.stripe_id: price for price in standing.prices}
    found = (known.get(name) for each in standing.subscriptions for name in each)
    plan_of = ((price and plans.find(price)) or Plan() for price in found)
    return {plan.group for plan in plan_of}


def _common_countries(lines: Sequence[Line]) -> tuple[str, ...]:
    """Where everything may be delivered that is to be delivered."""
    limited = [[code.upper() for code in line.plan.countries] for line in lines]
    limited = [codes for codes in limited if codes]
    if not limited:
        return ()
    common = tuple(code for code in limited[0] if all(code in codes for codes in limited))
    if not common:
        raise invalid_field("items", "countries_apart", "These can't be delivered to one country.")
    return common
