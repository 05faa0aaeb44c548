"""Prices without one fixed amount: no row of one looks free."""

from typing import Any

import pytest

from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.frontend import Record
from tests.operations.operator import run_gateway
from tests.stripe_account import StripeAccount


async def _create(
    account: StripeAccount, dashboard: Dashboard, **fields: Any
) -> tuple[str, Record]:
    """Create a price; return its id, and the row that its event brings."""
    product = await account.create("products", name="Calls")
    price = await account.create("prices", product=product["id"], currency="usd", **fields)
    await account.wait_delivered()
    return str(price["id"]), await _read(dashboard, price["id"])


async def _read(dashboard: Dashboard, price: str) -> Record:
    [row] = await dashboard.list("prices", f"stripe_id = '{price}'")
    return row


_TIERED = {
    "billing_scheme": "tiered",
    "tiers_mode": "graduated",
    "tiers[0][up_to]": 10,
    "tiers[0][unit_amount]": 500,
    "tiers[1][up_to]": "inf",
    "tiers[1][unit_amount_decimal]": "49.5",
}


async def test_a_tiered_price_has_its_tiers(account: StripeAccount, dashboard: Dashboard) -> None:
    """The event shows none, so they are read from Stripe."""
    price, row = await _create(account, dashboard, **_TIERED)
    assert (row["amount_type"], row["tiers_mode"]) == ("tiered", "graduated")
    tiers = [(tier["up_to"], tier["unit_amount_decimal"]) for tier in row["tiers"]]
    assert tiers == [(10, "500"), (None, "49.5")]

    await account.create(f"prices/{price}", nickname="Calls")
    await account.wait_delivered()
    row = await _read(dashboard, price)
    assert (row["nickname"], len(row["tiers"])) == ("Calls", 2)


@pytest.mark.parametrize(
    ("fields", "columns"),
    [
        ({"unit_amount": 0}, {"amount_type": "fixed", "unit_amount": 0}),
        ({"unit_amount": 1000}, {"amount_type": "fixed", "unit_amount_decimal": "1000"}),
        (
            {"unit_amount_decimal": "0.5"},
            {"amount_type": "fixed", "unit_amount": 0.5, "unit_amount_decimal": "0.5"},
        ),
        (
            {"custom_unit_amount[enabled]": "true", "custom_unit_amount[minimum]": 500},
            {
                "amount_type": "custom",
                "custom_unit_amount": {"minimum": 500, "maximum": None, "preset": None},
            },
        ),
        (
            {
                "unit_amount": 1000,
                "transform_quantity[divide_by]": 100,
                "transform_quantity[round]": "up",
            },
            {
                "amount_type": "package",
                "transform_quantity": {"divide_by": 100, "round": "up"},
            },
        ),
    ],
)
async def test_how_an_amount_is_meant_is_mirrored(
    fields: dict[str, Any],
    columns: dict[str, Any],
    account: StripeAccount,
    dashboard: Dashboard,
) -> None:
    """Fixed, by package, or chosen by the buyer: only a fixed 0 is free."""
    _, row = await _create(account, dashboard, **fields)
    assert {name: row[name] for name in columns} == columns


async def test_other_currencies_come_with_a_reconciliation(
    account: StripeAccount, dashboard: Dashboard, stack: Stack
) -> None:
    """No event shows them; what was read stays when the price changes otherwise."""
    euros = {"currency_options[eur][unit_amount]": 900}
    price, _ = await _create(account, dashboard, unit_amount=1000, **euros)
    done = await run_gateway(stack, "reconcile", "--only", "prices")
    assert done.code in (0, 1), done.lines
    row = await _read(dashboard, price)
    assert {name: each["unit_amount"] for name, each in row["currency_options"].items()} == {
        "eur": 900
    }
    await account.create(f"prices/{price}", nickname="Calls")
    await account.wait_delivered()
    row = await _read(dashboard, price)
    assert (row["nickname"], list(row["currency_options"])) == ("Calls", ["eur"])
    again = await run_gateway(stack, "reconcile", "--only", "prices")
    assert not any(price in line for line in again.lines)
