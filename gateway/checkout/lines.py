"""Finds the prices of an order's items, and checks their quantities. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from gateway.customers.buyer import Price
from gateway.errors import InvalidRequest, invalid_field
from gateway.price_terms import PriceTerms, TermsFile

Mode = Literal["payment", "subscription", "setup"]


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a request: a price id or lookup key, and a quantity."""

    price: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Line:
    """An item with its price, which is for sale, and the price's terms."""

    price: Price
    quantity: int
    terms: PriceTerms = field(default_factory=PriceTerms)
    #: The index of the request's item; the first one if several name the same price.
    place: int = field(default=0, compare=False)
    #: Whether the quantity is the number of the organization's members.
    is_by_member: bool = False


def resolve_items(
    items: Sequence[Item], prices: Sequence[Price], terms_file: TermsFile, seats: int = 0
) -> tuple[Line, ...]:
    """Find each item's price among the mirrored ones.

    Args:
        seats: the quantity of prices that an organization pays per member; 0 for a user.

    Raises:
        InvalidRequest: a price is unknown or not for sale; ``data`` names the item.
    """
    known = {price.stripe_id: price for price in prices}
    known |= {price.lookup_key: price for price in prices if price.lookup_key and price.active}
    lines = [_find_line(place, item, known, terms_file) for place, item in enumerate(items)]
    if seats:
        lines = [_fill_seats(line, seats) for line in lines]
    return tuple(lines)


def check_quantities(lines: Sequence[Line]) -> None:
    """Check the bounds for all lines of a price together.

    Raises:
        InvalidRequest: ``data`` names the line that exceeds them.
    """
    merged: dict[str, Line] = {}
    for line in lines:
        before = merged.get(line.price.stripe_id)
        total = merged[line.price.stripe_id] = _add(before, line) if before else line
        if total.quantity > _find_maximum(line):
            raise _quantity_not_sold(line)
    for line in merged.values():
        if line.quantity < line.terms.min_quantity:
            raise _quantity_not_sold(line)


def merge_lines(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Return one line per price, with the sum of the quantities."""
    merged: dict[str, Line] = {}
    for line in lines:
        before = merged.get(line.price.stripe_id)
        merged[line.price.stripe_id] = _add(before, line) if before else line
    return tuple(merged.values())


def mode_of(lines: Sequence[Line]) -> Mode:
    """Return the session's mode: one recurring price makes it a subscription."""
    recurring = any(line.price.type == "recurring" for line in lines)
    return "subscription" if recurring else "payment"


def _find_line(place: int, item: Item, known: Mapping[str, Price], terms_file: TermsFile) -> Line:
    price = known.get(item.price)
    if price is None:
        raise invalid_field(f"items.{place}.price", "price_unknown", "This price is not for sale.")
    terms = terms_file.find(price)
    if terms is None or not terms.sells(price):
        raise invalid_field(f"items.{place}.price", "price_inactive", "This price is not for sale.")
    return Line(price, item.quantity, terms, place)


def _fill_seats(line: Line, seats: int) -> Line:
    """Replace the requested quantity by the number of members, for prices paid per member."""
    if not line.price.is_by_member:
        return line
    return replace(line, quantity=max(seats, line.terms.min_quantity), is_by_member=True)


def _add(before: Line, line: Line) -> Line:
    if line.is_by_member:
        return before
    return replace(before, quantity=before.quantity + line.quantity)


def _find_maximum(line: Line) -> int:
    """Return 1 for a price sold once per buyer, unless its terms set a maximum."""
    terms = line.terms
    is_once = terms.once_per_buyer and line.price.type == "one_time"
    if is_once and "max_quantity" not in terms.model_fields_set:
        return max(1, terms.min_quantity)
    return terms.max_quantity


def _quantity_not_sold(line: Line) -> InvalidRequest:
    bounds = f"from {line.terms.min_quantity} to {_find_maximum(line)}"
    message = f"This price is sold in quantities {bounds}."
    return invalid_field(f"items.{line.place}.quantity", "quantity_not_sold", message)
