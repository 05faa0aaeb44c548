"""Stripe has one customer per user, whatever endpoint the user calls first."""

import asyncio

import pytest

from tests.dashboard import Dashboard
from tests.frontend import Frontend
from tests.shop import Shop
from tests.stripe_account import StripeAccount


@pytest.mark.parametrize("clicks", [2, 10])
async def test_concurrent_checkouts_make_one_customer(
    clicks: int, frontend: Frontend, shop: Shop, account: StripeAccount, dashboard: Dashboard
) -> None:
    """Concurrent first purchases of one user all succeed, as one customer's one session."""
    buyer = await frontend.sign_up()
    before = await account.count("customer")
    sessions = await asyncio.gather(
        *(shop.check_out(buyer, "pro_monthly") for _ in range(clicks)),
    )
    assert len({session["id"] for session in sessions}) == 1
    assert await account.count("customer") == {"customer": before["customer"] + 1}
    [customer] = await dashboard.list("customers", f"user = '{buyer.id}'")
    assert customer["primary"]

    await account.wait_delivered()
    [again] = await dashboard.list("customers", f"user = '{buyer.id}'")
    assert again["stripe_id"] == customer["stripe_id"]


async def test_later_purchases_use_the_first_customer(
    frontend: Frontend, shop: Shop, account: StripeAccount
) -> None:
    """A second purchase, also with a changed name, is the same customer's."""
    buyer = await frontend.sign_up()
    await shop.pay(await shop.check_out(buyer, "lifetime"))
    path = f"/api/collections/users/records/{buyer.id}"
    await frontend.call("PATCH", path, token=buyer.token, body={"name": "New Name"})
    before = await account.count("customer")
    await shop.pay(await shop.check_out(buyer, "pro_monthly"))
    assert await account.count("customer") == before
    await account.wait_delivered()
    [customer] = await frontend.list_records("customers", token=buyer.token)
    [subscription] = await frontend.list_records("subscriptions", token=buyer.token)
    assert subscription["customer"] == customer["id"]


async def test_a_deleted_customer_is_replaced(
    frontend: Frontend, shop: Shop, account: StripeAccount
) -> None:
    """A buyer whose customer the seller has deleted gets a new one, and can pay."""
    buyer = await frontend.sign_up()
    await shop.check_out(buyer, "lifetime")
    [first] = await frontend.list_records("customers", token=buyer.token)
    await account.delete(f"customers/{first['stripe_id']}")
    await account.wait_delivered()
    await shop.pay(await shop.check_out(buyer, "lifetime"))
    await account.wait_delivered()
    [second] = await frontend.list_records("customers", token=buyer.token, filter="primary = true")
    [payment] = await frontend.list_records("payments", token=buyer.token)
    assert second["id"] != first["id"]
    assert payment["customer"] == second["id"]
