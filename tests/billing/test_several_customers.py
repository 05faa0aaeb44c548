"""A user with several Stripe customers: each is theirs, and the one that matters is led to."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gateway.dev.gateway_process import GatewayProcess
from tests.dashboard import Dashboard
from tests.delivery import Sender, build_event
from tests.frontend import Frontend, User
from tests.problem import read_problem
from tests.shop import ORIGIN, Shop, build_order
from tests.stripe_account import StripeAccount

_PORTAL = {"return_url": f"{ORIGIN}/account"}


@pytest.fixture
def open_shop(start_gateway: Callable[..., GatewayProcess], http: httpx.AsyncClient) -> Shop:
    """A shop that sells to guests."""
    return Shop(http, start_gateway(GATEWAY_GUEST_CHECKOUT="true").url)


async def _verify(dashboard: Dashboard, user: User) -> None:
    path = f"/api/collections/users/records/{user.id}"
    await dashboard.call("PATCH", path, {"verified": True})


async def _buy_as_guest(shop: Shop, price: str, email: str) -> str:
    session = (await shop.post("/checkout", None, build_order(price))).json()
    await shop.press(session["url"], outcome="pay", card="4242", email=email)
    return str(session["id"])


async def _list_subscriptions(frontend: Frontend, user: User) -> list[str]:
    rows = await frontend.list_records("subscriptions", token=user.token)
    return [row["stripe_id"] for row in rows]


@pytest.mark.parametrize("prices", [("pro_monthly", "lifetime"), ("lifetime", "pro_monthly")])
async def test_a_guests_purchases_are_found_again(
    prices: tuple[str, str],
    open_shop: Shop,
    frontend: Frontend,
    dashboard: Dashboard,
    account: StripeAccount,
) -> None:
    """After verifying an address, a user reads all sessions bought with it and finds what runs."""
    user = await frontend.sign_up()
    sessions = [await _buy_as_guest(open_shop, price, user.email) for price in prices]
    await account.wait_delivered()
    await _verify(dashboard, user)

    for session in sessions:
        assert (await open_shop.come_back(user, session)).json()["status"] == "complete"
    [subscription] = await _list_subscriptions(frontend, user)
    refused = await open_shop.post("/checkout", user, build_order("pro_monthly"))
    problem = read_problem(refused, 409, "already-subscribed")
    assert subscription in (await open_shop.http.get(problem["portal_url"])).text
    assert subscription in (await open_shop.http.get(await open_shop.open_portal(user))).text
    [primary] = await frontend.list_records("customers", token=user.token, filter="primary = true")
    sold = (await account.read(f"subscriptions/{subscription}"))["customer"]
    assert primary["stripe_id"] == sold


async def test_a_guest_can_give_anybodys_address(
    open_shop: Shop, frontend: Frontend, dashboard: Dashboard, account: StripeAccount
) -> None:
    """A guest who enters a user's address does not keep the user from buying."""
    user = await frontend.sign_up()
    await _verify(dashboard, user)
    await _buy_as_guest(open_shop, "pro_monthly", user.email.upper())
    await account.wait_delivered()
    assert len(await _list_subscriptions(frontend, user)) == 1

    await open_shop.pay(await open_shop.check_out(user, "pro_monthly"))
    await account.wait_delivered()

    assert len(await _list_subscriptions(frontend, user)) == 2
    read_problem(await open_shop.post("/checkout", user, build_order("pro_monthly")), 409)


async def _buy_by_link(account: StripeAccount, sender: Sender, email: str) -> str:
    """Subscribe as a Payment Link does; return the subscription's id."""
    [price] = await account.list("prices", **{"lookup_keys[]": "pro_monthly"})
    buyer = await account.create("customers", email=email, payment_method="pm_card_visa")
    subscription = await account.create(
        "subscriptions",
        customer=buyer["id"],
        default_payment_method=(await account.list(f"customers/{buyer['id']}/payment_methods"))[0][
            "id"
        ],
        **{"items[0][price]": price["id"]},
    )
    session: dict[str, Any] = {
        "id": f"cs_test_{buyer['id']}",
        "object": "checkout.session",
        "mode": "subscription",
        "status": "complete",
        "payment_status": "paid",
        "customer": buyer["id"],
        "subscription": subscription["id"],
        "payment_link": "plink_1",
        "customer_details": {"email": email},
        "metadata": {},
        "created": int(time.time()),
    }
    answer = await sender.send(build_event("checkout.session.completed", session))
    assert answer.status_code == 200, answer.text
    await account.wait_delivered()
    return str(subscription["id"])


async def test_a_payment_links_buyer_can_manage_it(
    shop: Shop,
    frontend: Frontend,
    dashboard: Dashboard,
    account: StripeAccount,
    sender: Sender,
) -> None:
    """Once the address is verified, the portal shows what was bought through a Payment Link."""
    user = await frontend.sign_up()
    subscription = await _buy_by_link(account, sender, user.email)
    problem = read_problem(await shop.post("/portal", user, _PORTAL), 404, "no-customer")
    assert "Verify your e-mail address" in problem["message"]
    await _verify(dashboard, user)

    assert subscription in (await shop.http.get(await shop.open_portal(user))).text
    flow = {"flow": {"type": "subscription_cancel", "subscription": subscription}}
    assert (await shop.post("/portal", user, _PORTAL | flow)).status_code == 200
    refused = await shop.post("/checkout", user, build_order("pro_monthly"))
    problem = read_problem(refused, 409, "already-subscribed")
    assert subscription in (await shop.http.get(problem["portal_url"])).text
    [customer] = await frontend.list_records("customers", token=user.token)
    assert not customer["primary"]


async def test_the_portal_is_of_the_subscription_that_is_in_the_way(
    shop: Shop,
    frontend: Frontend,
    dashboard: Dashboard,
    account: StripeAccount,
    sender: Sender,
) -> None:
    """Another customer's purchase does not hide the subscription that allows no second."""
    user = await frontend.sign_up()
    await _verify(dashboard, user)
    await shop.pay(await shop.check_out(user, "lifetime"))
    await account.wait_delivered()
    subscription = await _buy_by_link(account, sender, user.email)

    refused = await shop.post("/checkout", user, build_order("pro_monthly"))
    problem = read_problem(refused, 409, "already-subscribed")
    assert subscription in (await shop.http.get(problem["portal_url"])).text
    assert subscription in (await shop.http.get(await shop.open_portal(user))).text


async def test_a_former_shops_customer_in_other_letters(
    shop: Shop,
    frontend: Frontend,
    dashboard: Dashboard,
    account: StripeAccount,
) -> None:
    """A verified user's first purchase uses the customer that Stripe has, whatever its spelling."""
    user = await frontend.sign_up()
    await _verify(dashboard, user)
    async with account.holding_deliveries():
        known = await account.create("customers", email=user.email.upper())
        session = await shop.check_out(user, "lifetime")
        made = await account.read(f"checkout/sessions/{session['id']}")
        assert made["customer"] == known["id"]
