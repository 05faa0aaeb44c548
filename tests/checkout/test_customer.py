"""A user's customer at Stripe: found, replaced and kept up to date, whatever is down meanwhile."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import httpx
import pytest

from gateway.dev.stack import Stack
from gateway.ids import record_id
from tests.checkout.conftest import HoldWebhooks, MakePrice
from tests.dashboard import Dashboard
from tests.deadline import eventually
from tests.frontend import Frontend, User
from tests.problem import read_problem
from tests.shop import Shop, build_order
from tests.stripe_account import StripeAccount


async def _find_customer(frontend: Frontend, user: User) -> str:
    [row] = await frontend.list_records(
        "customers", token=user.token, filter="primary = true && deleted = false"
    )
    return str(row["stripe_id"])


async def _buyer_of(account: StripeAccount, session: dict[str, str]) -> str:
    return str((await account.read(f"checkout/sessions/{session['id']}"))["customer"])


async def _rename(frontend: Frontend, user: User, name: str) -> None:
    path = f"/api/collections/users/records/{user.id}"
    await frontend.call("PATCH", path, token=user.token, body={"name": name})


async def _wait_for(account: StripeAccount, customer: str, **members: Any) -> None:
    async def has_followed() -> bool:
        found = await account.read(f"customers/{customer}")
        return all(found[name] == value for name, value in members.items())

    await eventually(has_followed, within=20)


async def test_a_deleted_customer_is_replaced_before_its_webhook(
    user: User,
    shop: Shop,
    account: StripeAccount,
    frontend: Frontend,
    hold_webhooks: HoldWebhooks,
) -> None:
    """A buyer whose customer was deleted a moment ago gets a new one at once."""
    await shop.check_out(user, "lifetime")
    first = await _find_customer(frontend, user)
    async with hold_webhooks():
        await account.delete(f"customers/{first}")
        for price in ("lifetime", "pro_monthly"):
            session = await shop.check_out(user, price)
            assert await _buyer_of(account, session) != first
    second = await _find_customer(frontend, user)
    assert await _buyer_of(account, session) == second


async def test_a_customer_that_nobody_knows_is_replaced(
    user: User, shop: Shop, account: StripeAccount, dashboard: Dashboard, frontend: Frontend
) -> None:
    """A row with a customer of another account, as after a move, does not lock its user out."""
    name = f"cus_{user.id}"
    row = {"id": record_id(name), "stripe_id": name, "user": user.id, "primary": True}
    await dashboard.call("POST", "/api/collections/customers/records", row)
    session = await shop.check_out(user, "pro_monthly")
    assert await _buyer_of(account, session) == await _find_customer(frontend, user)


@pytest.mark.parametrize("verified", [True, False])
async def test_a_customer_is_found_by_a_verified_address_alone(
    verified: bool,
    user: User,
    shop: Shop,
    account: StripeAccount,
    dashboard: Dashboard,
    hold_webhooks: HoldWebhooks,
) -> None:
    """Stripe's customer with the user's address is theirs once PocketBase has verified it."""
    async with hold_webhooks():
        known = await account.create("customers", email=user.email)
        path = f"/api/collections/users/records/{user.id}"
        await dashboard.call("PATCH", path, {"verified": verified})
        session = await shop.check_out(user, "lifetime")
        assert (await _buyer_of(account, session) == known["id"]) is verified


@pytest.mark.parametrize("ended", [False, True], ids=["running", "ended"])
async def test_the_subscriptions_of_a_found_customer_count(
    ended: bool,
    user: User,
    shop: Shop,
    account: StripeAccount,
    dashboard: Dashboard,
    make_price: MakePrice,
    hold_webhooks: HoldWebhooks,
) -> None:
    """One from before the gateway excludes a second one, and a trial is not given again."""
    price = await make_price(trial_days="14")
    async with hold_webhooks():
        customer = (await account.create("customers", email=user.email))["id"]
        terms = {"items[0][price]": price, "trial_period_days": 7}
        made = await account.create("subscriptions", customer=customer, **terms)
        if ended:
            await account.delete(f"subscriptions/{made['id']}")
        path = f"/api/collections/users/records/{user.id}"
        await dashboard.call("PATCH", path, {"verified": True})
        answer = await shop.post("/checkout", user, build_order(price))
        if not ended:
            read_problem(answer, 409, "already-subscribed")
            return
        await shop.pay(answer.json())
        newest = (await account.list("subscriptions", customer=customer))[0]
        assert (newest["status"], newest["trial_end"]) == ("active", None)


async def test_another_users_customer_is_not_taken(
    user: User,
    user_without_purchase: User,
    shop: Shop,
    account: StripeAccount,
    dashboard: Dashboard,
    hold_webhooks: HoldWebhooks,
) -> None:
    """A customer that names another user stays theirs, although it has this user's address."""
    fields = {"email": user.email, "metadata[pocketbase_user]": user_without_purchase.id}
    async with hold_webhooks():
        foreign = await account.create("customers", **fields)
        path = f"/api/collections/users/records/{user.id}"
        await dashboard.call("PATCH", path, {"verified": True})
        session = await shop.check_out(user, "lifetime")
        assert await _buyer_of(account, session) != foreign["id"]
    await account.delete(f"customers/{foreign['id']}")
    await account.wait_delivered()


async def test_name_and_address_follow(
    user: User, shop: Shop, account: StripeAccount, dashboard: Dashboard, frontend: Frontend
) -> None:
    """Changes in PocketBase reach Stripe, the last one in the end, and leave no open work."""
    await shop.check_out(user, "lifetime")
    customer = await _find_customer(frontend, user)
    for name in ("First", "Second", "Third"):
        await _rename(frontend, user, name)
    path = f"/api/collections/users/records/{user.id}"
    await dashboard.call("PATCH", path, {"email": f"new-{user.email}"})
    await _wait_for(account, customer, name="Third", email=f"new-{user.email}")
    await _wait_for_work(dashboard, customer, "done")


async def _wait_for_work(dashboard: Dashboard, customer: str, status: str) -> dict[str, Any]:
    """Wait until the update of a customer has a status; return its item."""
    where = f"handler = 'gateway.customers.sync' && key = '{customer}' && status = '{status}'"
    [item] = await eventually(lambda: dashboard.list("gateway_work", where), within=20)
    return item


async def test_a_change_waits_for_stripe(
    user: User, shop: Shop, account: StripeAccount, dashboard: Dashboard, frontend: Frontend
) -> None:
    """While Stripe fails, PocketBase stores the change at once, and Stripe gets it later."""
    await shop.check_out(user, "lifetime")
    customer = await _find_customer(frontend, user)
    await account.control("faults", path=f"/v1/customers/{customer}", status=503, times=3)
    await _rename(frontend, user, "Patient")

    async def has_failed() -> bool:
        items = await dashboard.list("gateway_work", f"key = '{customer}'")
        return any(item["error"] for item in items)

    await eventually(has_failed, within=20)
    await _wait_for(account, customer, name="Patient")


async def test_a_change_that_stripe_refuses_is_left_to_the_seller(
    user: User, shop: Shop, account: StripeAccount, dashboard: Dashboard, frontend: Frontend
) -> None:
    """It is parked with what Stripe said, until the seller retries it or the user changes again."""
    await shop.check_out(user, "lifetime")
    customer = await _find_customer(frontend, user)

    async def fail(name: str) -> dict[str, Any]:
        fault = {"path": f"/v1/customers/{customer}", "method": "POST", "status": 400, "times": 1}
        await account.control("faults", **fault)
        await _rename(frontend, user, name)
        return await _wait_for_work(dashboard, customer, "parked")

    item = await fail("Wrong")
    assert item["attempts"] == 1
    assert "400" in item["error"]
    await dashboard.call("POST", "/api/gateway/work/retry", {"ids": [item["id"]]})
    await _wait_for(account, customer, name="Wrong")
    await _wait_for_work(dashboard, customer, "done")
    await fail("Wrong again")
    await _rename(frontend, user, "Right")
    await _wait_for(account, customer, name="Right")
    await _wait_for_work(dashboard, customer, "done")


async def test_a_change_waits_for_the_gateway(
    fresh_stack: Callable[..., Stack], http: httpx.AsyncClient
) -> None:
    """Changes made while no gateway runs are sent by the next one that starts."""
    stack = fresh_stack()
    account = StripeAccount(http, stack.simulator)
    await account.wait_delivered()
    async with Frontend(stack.pocketbase.url) as frontend:
        user = await frontend.sign_up()
        await Shop(http, stack.gateway.url).check_out(user, "lifetime")
        customer = await _find_customer(frontend, user)
        stack.gateway.stop()
        await _rename(frontend, user, "Meanwhile")
        stack.gateway.start()
        stack.gateway.wait_healthy()
        await _wait_for(account, customer, name="Meanwhile")


async def test_a_user_without_an_address_can_buy(
    user: User, stack: Stack, shop: Shop, account: StripeAccount
) -> None:
    """A shop's users need not have one: Stripe refuses an empty address, so none is sent."""
    with closing(sqlite3.connect(stack.pocketbase.data_dir / "data.db", timeout=10)) as database:
        database.execute("UPDATE users SET email = '' WHERE id = ?", (user.id,))
        database.commit()
    customer = await _buyer_of(account, await shop.check_out(user, "lifetime"))
    assert (await account.read(f"customers/{customer}"))["email"] is None
