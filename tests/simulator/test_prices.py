"""Prices without one fixed amount: fractions, tiers, packages, other currencies."""

from typing import Any

import pytest

from stripe_simulator.errors import StripeError
from stripe_simulator.resources import prices
from stripe_simulator.snapshots import JSON
from tests.simulator.test_subscriptions import Shop


def _price(shop: Shop, **params: Any) -> JSON:
    product = shop.post("products", name="Calls")["id"]
    return shop.post("prices", **{"product": product, "currency": "usd"} | params)


def test_a_fraction_of_a_cent_is_kept() -> None:
    """`unit_amount` is null then; the amount is rounded once, for the whole quantity."""
    shop = Shop()
    price = _price(shop, unit_amount_decimal="0.5")
    assert (price["unit_amount"], price["unit_amount_decimal"]) == (None, "0.5")
    assert [prices.amount(shop.world, price, number) for number in (1, 3, 200)] == [1, 2, 100]
    whole = _price(shop, unit_amount_decimal="250.0")
    assert (whole["unit_amount"], whole["unit_amount_decimal"]) == (250, "250")


@pytest.mark.parametrize("given", ["0.1234567890123", "ten", "NaN"])
def test_a_decimal_has_twelve_places_at_most(given: str) -> None:
    """Anything else is refused."""
    with pytest.raises(StripeError):
        _price(Shop(), unit_amount_decimal=given)


_TIERS = [
    {"up_to": 10, "unit_amount": 100, "flat_amount": 500},
    {"up_to": "inf", "unit_amount_decimal": "50.5"},
]


@pytest.mark.parametrize(
    ("mode", "quantity", "amount"),
    [("graduated", 10, 1500), ("graduated", 12, 1601), ("volume", 12, 606)],
)
def test_tiers_are_charged_by_their_mode(mode: str, quantity: int, amount: int) -> None:
    """Graduated tiers are added up, volume's is the last one alone."""
    shop = Shop()
    price = _price(shop, billing_scheme="tiered", tiers_mode=mode, tiers=_TIERS)
    assert price["unit_amount"] is price["unit_amount_decimal"] is None
    assert "tiers" not in price
    assert prices.amount(shop.world, price, quantity) == amount


@pytest.mark.parametrize(("round", "amount"), [("up", 2000), ("down", 1000)])
def test_packages_are_rounded(round: str, amount: int) -> None:
    """15 in packages of 10 are two, or one."""
    shop = Shop()
    price = _price(shop, unit_amount=1000, transform_quantity={"divide_by": 10, "round": round})
    assert prices.amount(shop.world, price, 15) == amount


def test_a_scheme_needs_its_tiers() -> None:
    """Tiers without a mode or a scheme, and the scheme without tiers, are refused."""
    wrong: list[JSON] = [
        {"billing_scheme": "tiered", "tiers": _TIERS},
        {"tiers_mode": "volume", "tiers": _TIERS},
        {"billing_scheme": "tiered", "tiers_mode": "volume", "unit_amount": 1},
    ]
    for params in wrong:
        with pytest.raises(StripeError):
            _price(Shop(), **params)


def test_other_currencies_show_when_asked_for() -> None:
    """With the price's own, by `expand` only."""
    shop = Shop()
    euros = {"eur": {"unit_amount": 900}}
    price = _price(shop, unit_amount=1000, currency_options=euros)
    assert "currency_options" not in price
    shown = prices.currency_options(shop.world, price)
    assert {name: option["unit_amount"] for name, option in shown.items()} == {
        "usd": 1000,
        "eur": 900,
    }


def test_a_forgiven_invoice_is_as_if_paid() -> None:
    """An open invoice is given up once; a subscription that was past due for it is active."""
    shop = Shop()
    sub = shop.subscribe()
    shop.use_card("chargeCustomerFail")
    end = sub["items"]["data"][0]["current_period_end"]
    shop.world.clock.advance_to(end + 2 * 3600)
    assert sub["status"] == "past_due"
    path = f"invoices/{sub['latest_invoice']}/mark_uncollectible"
    shop.post(path)
    assert sub["status"] == "active"
    with pytest.raises(StripeError):
        shop.post(path)
