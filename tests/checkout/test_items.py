"""Items of an order: prices are found by id or lookup key, and decide the mode. Pure."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.checkout.lines import Item, Line, mode_of, resolve_items
from gateway.customers.buyer import Price
from gateway.errors import InvalidRequest
from gateway.price_terms import TermsFile


def _price(name: str = "price_1", **members: Any) -> Price:
    values = {"lookup_key": "", "type": "one_time", "currency": "usd", "active": True}
    return Price(stripe_id=name, **(values | members))


def test_a_price_is_found_by_id_or_lookup_key() -> None:
    """Either name leads to the same price, with the quantity that was asked for."""
    price = _price("price_1", lookup_key="pro")
    lines = resolve_items([Item("pro", 2), Item("price_1", 1)], [price], TermsFile())
    assert lines == (Line(price, 2), Line(price, 1))


def test_an_archived_price_does_not_hide_the_one_that_took_over_its_key() -> None:
    """A lookup key that was transferred leads to the active price, in whatever order they come."""
    old, new = _price("old", lookup_key="pro", active=False), _price("new", lookup_key="pro")
    for prices in ([old, new], [new, old]):
        assert resolve_items([Item("pro", 1)], prices, TermsFile()) == (Line(new, 1),)


def test_an_empty_lookup_key_names_nothing() -> None:
    """Prices without a lookup key can't be found by an empty one."""
    with pytest.raises(InvalidRequest):
        resolve_items([Item("", 1)], [_price("price_1", lookup_key="")], TermsFile())


@pytest.mark.parametrize(
    ("name", "code"), [("price_2", "price_unknown"), ("price_1", "price_inactive")]
)
def test_what_is_not_for_sale_is_named(name: str, code: str) -> None:
    """The error's data says which item it is, and whether its price is unknown or inactive."""
    prices = [_price("price_0"), _price("price_1", active=False)]
    with pytest.raises(InvalidRequest) as caught:
        resolve_items([Item("price_0", 1), Item(name, 1)], prices, TermsFile())
    assert caught.value.data["items.1.price"]["code"] == code


_prices = st.lists(
    st.builds(
        Price,
        stripe_id=st.sampled_from(["price_a", "price_b", "price_c"]),
        lookup_key=st.sampled_from(["", "x", "y"]),
        type=st.sampled_from(["recurring", "one_time"]),
        currency=st.just("usd"),
        active=st.booleans(),
    ),
    max_size=4,
    unique_by=lambda price: price.stripe_id,
)
_items = st.lists(
    st.builds(
        Item,
        st.sampled_from(["price_a", "price_b", "price_c", "x", "y", "z", ""]),
        st.integers(1, 1_000_000),
    ),
    min_size=1,
    max_size=4,
)


@given(_items, _prices)
def test_every_line_is_an_active_price_that_was_asked_for(
    items: list[Item], prices: list[Price]
) -> None:
    """Either each item, in order, becomes a line of an active price of its name, or all fail."""
    try:
        lines = resolve_items(items, prices, TermsFile())
    except InvalidRequest:
        for_sale = [price for price in prices if price.active]
        names = {price.stripe_id for price in for_sale} | {price.lookup_key for price in for_sale}
        assert any(item.price not in names - {""} for item in items)
        return
    assert [line.quantity for line in lines] == [item.quantity for item in items]
    for item, line in zip(items, lines, strict=True):
        assert line.price.active
        assert line.price in prices
        assert item.price in (line.price.stripe_id, line.price.lookup_key)


@given(st.lists(st.sampled_from(["recurring", "one_time", ""]), min_size=1, max_size=5))
def test_one_recurring_price_makes_a_subscription(types: list[str]) -> None:
    """The mode is subscription if any price recurs, and payment otherwise."""
    lines = [Line(_price(type=kind), 1) for kind in types]
    assert mode_of(lines) == ("subscription" if "recurring" in types else "payment")
