"""What may be bought, on which terms: the one place that decides it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from gateway.checkout.purchase_history import PurchaseHistory
from gateway.customers.buyer import Price
from gateway.errors import Conflict, InvalidRequest, Unauthenticated, invalid_field
from gateway.price_terms import PriceTerms, Terms

Mode = Literal["payment", "subscription", "setup"]


class AlreadySubscribed(Conflict):
    """You already have a running subscription."""

    example_members = MappingProxyType(
        {"portal_url": "https://billing.stripe.com/p/session/test_a1b2c3"}
    )
    #: The Stripe customer of that subscription, "" if it is not known.
    customer: str = ""


class AlreadyBought(Conflict):
    """You have bought this already."""


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
    plan: PriceTerms = field(default_factory=PriceTerms)
    #: Which item of the request it is, the first one where several name the same price.
    place: int = field(default=0, compare=False)
    #: Whether the members of the organization that buys it decide about the quantity.
    is_by_member: bool = False


@dataclass(frozen=True, slots=True)
class Quote:
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


def build_quote(
    items: Sequence[Item],
    prices: Sequence[Price],
    plans: Terms,
    standing: PurchaseHistory,
    seats: int = 0,
) -> Quote:
    """Decide on what is asked for.

    The prices decide the mode. A trial is given once, ever, and only for what all lines give it.
    Whoever has a running subscription of a group that takes one can't start another; what is sold
    once per buyer can't be bought again.

    Args:
        seats: the quantity of what an organization pays for by member; 0 for a user.

    Raises:
        InvalidRequest: not for sale, not in this quantity, or not together; ``data`` says which.
        AlreadySubscribed: one subscription is running, and the plan allows no second.
        AlreadyBought: an item is sold once per buyer.
        Unauthenticated: an item is not sold to guests.
    """
    found = resolve_items(items, prices, plans, seats)
    _check_quantities(found)
    lines = merge_lines(found)
    _refuse_mixed_currencies(lines)
    if standing.is_guest:
        _refuse_guests(lines)
    once = [line for line in lines if line.price.type == "one_time" and line.plan.once_per_buyer]
    _refuse_bought(once, standing)
    recurring = [line.plan for line in lines if line.price.type == "recurring"]
    single = {plan.group for plan in recurring if plan.subscriptions == "one"}
    _refuse_second(single, standing, plans)
    trial_days = min((plan.trial_days for plan in recurring), default=0)
    trial_days = 0 if standing.trial_used else trial_days
    coupons = {line.plan.coupon for line in lines}
    coupon = coupons.pop() if len(coupons) == 1 else ""
    return Quote(
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
        is_exclusive=bool(single) or trial_days > 0 or bool(once),
    )


def require_promotion_codes(offer: Quote) -> None:
    """Refuse a code where the seller takes none, or has chosen a coupon.

    Raises:
        InvalidRequest
    """
    if not offer.promotion_codes:
        message = "No promotion codes are taken for this."
        raise invalid_field("promotion_code", "promotion_code_not_taken", message)


def resolve_items(
    items: Sequence[Item], prices: Sequence[Price], plans: Terms, seats: int = 0
) -> tuple[Line, ...]:
    """Find each item's price among those PocketBase knows.

    Args:
        seats: the quantity of what an organization pays for by member; 0 for a user.

    Raises:
        InvalidRequest: a price is unknown or not for sale; ``data`` names the item.
    """
    known = {price.stripe_id: price for price in prices}
    known |= {price.lookup_key: price for price in prices if price.lookup_key and price.active}
    lines = [_find_line(place, item, known, plans) for place, item in enumerate(items)]
    if seats:
        lines = [_fill_seats(line, seats) for line in lines]
    return tuple(lines)


def _find_line(place: int, item: Item, known: Mapping[str, Price], plans: Terms) -> Line:
    price = known.get(item.price)
    if price is None:
        raise invalid_field(f"items.{place}.price", "price_unknown", "This price is not for sale.")
    plan = plans.find(price)
    if plan is None or not plan.sells(price):
        raise invalid_field(f"items.{place}.price", "price_inactive", "This price is not for sale.")
    return Line(price, item.quantity, plan, place)


def _fill_seats(line: Line, seats: int) -> Line:
    """What is paid by member is bought for all members, whatever quantity is asked for."""
    if not line.price.is_by_member:
        return line
    return replace(line, quantity=max(seats, line.plan.min_quantity), is_by_member=True)


def merge_lines(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Return one line per price, with the quantity of all that have it."""
    merged: dict[str, Line] = {}
    for line in lines:
        before = merged.get(line.price.stripe_id)
        merged[line.price.stripe_id] = _add(before, line) if before else line
    return tuple(merged.values())


def _add(before: Line, line: Line) -> Line:
    if line.is_by_member:
        return before
    return replace(before, quantity=before.quantity + line.quantity)


def _check_quantities(lines: Sequence[Line]) -> None:
    """Check the limits for all lines of a price together; name the line that breaks one."""
    merged: dict[str, Line] = {}
    for line in lines:
        before = merged.get(line.price.stripe_id)
        total = merged[line.price.stripe_id] = _add(before, line) if before else line
        if total.quantity > _find_maximum(line):
            raise _not_sold(line)
    for line in merged.values():
        if line.quantity < line.plan.min_quantity:
            raise _not_sold(line)


def _find_maximum(line: Line) -> int:
    """What is sold once per buyer is one, unless its terms say how many are."""
    plan = line.plan
    is_once = plan.once_per_buyer and line.price.type == "one_time"
    if is_once and "max_quantity" not in plan.model_fields_set:
        return max(1, plan.min_quantity)
    return plan.max_quantity


def _not_sold(line: Line) -> InvalidRequest:
    bounds = f"from {line.plan.min_quantity} to {_find_maximum(line)}"
    message = f"This price is sold in quantities {bounds}."
    return invalid_field(f"items.{line.place}.quantity", "quantity_not_sold", message)


def _refuse_guests(lines: Sequence[Line]) -> None:
    for line in lines:
        if not line.plan.guests:
            message = "Sign in to buy this."
            reason = {"code": "sign_in_required", "message": message}
            raise Unauthenticated(message, {f"items.{line.place}.price": reason})


def _refuse_bought(once: Sequence[Line], standing: PurchaseHistory) -> None:
    known = {price.stripe_id: price for price in standing.prices}
    bought = {_product_of(known.get(name)) or name for name in standing.bought}
    for line in once:
        product = _product_of(line.price)
        if product in bought or line.price.stripe_id in bought:
            message = "This can be bought only once, and you have it or are paying for it."
            reason = {"code": "already_bought", "message": message}
            raise AlreadyBought(message, {f"items.{line.place}.price": reason})
        bought.add(product)


def _product_of(price: Price | None) -> str:
    return (price.product or price.stripe_id) if price else ""


def mode_of(lines: Sequence[Line]) -> Mode:
    """The prices decide the mode: one recurring price makes it a subscription."""
    recurring = any(line.price.type == "recurring" for line in lines)
    return "subscription" if recurring else "payment"


def _refuse_mixed_currencies(lines: Sequence[Line]) -> None:
    for place, line in enumerate(lines):
        if line.price.currency != lines[0].price.currency:
            message = "One purchase has one currency."
            raise invalid_field(f"items.{place}.price", "currency_mixed", message)


def _refuse_second(single: set[str], standing: PurchaseHistory, plans: Terms) -> None:
    """Refuse a second subscription of a group; the error names the first one's customer."""
    for place, prices in enumerate(standing.subscriptions):
        if single & _held_groups(prices, standing, plans):
            refused = AlreadySubscribed(
                "Change the running subscription instead of buying another."
            )
            refused.customer = standing.customers[place] if standing.customers else ""
            raise refused


def _held_groups(prices: Sequence[str], standing: PurchaseHistory, plans: Terms) -> set[str]:
    """The groups of one subscription; unknown prices have the default group."""
    known = {price.stripe_id: price for price in standing.prices}
    plan_of = ((name in known and plans.find(known[name])) or PriceTerms() for name in prices)
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
