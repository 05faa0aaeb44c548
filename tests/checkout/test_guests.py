"""People who buy without signing in, and what becomes of it when they do."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gateway.dev.gateway_process import GatewayProcess
from tests.dashboard import Dashboard
from tests.deadline import eventually
from tests.frontend import Frontend, User
from tests.problem import read_problem
from tests.shop import SUCCESS, Shop, build_order
from tests.stripe_account import StripeAccount


@pytest.fixture
def open_shop(start_gateway: Callable[..., GatewayProcess], http: httpx.AsyncClient) -> Shop:
    """A shop that sells to guests."""
    return Shop(http, start_gateway(GATEWAY_GUEST_CHECKOUT="true").url)


async def _buy(shop: Shop, price: str, email: str) -> dict[str, Any]:
    answer = await shop.post("/checkout", None, build_order(price))
    assert answer.status_code == 200, answer.text
    session: dict[str, Any] = answer.json()
    paid = await shop.press(session["url"], outcome="pay", card="4242", email=email)
    assert paid.headers["location"] == SUCCESS
    return session


@pytest.mark.parametrize(
    ("price", "collection"), [("lifetime", "payments"), ("pro_monthly", "subscriptions")]
)
async def test_a_purchase_finds_its_user_by_the_verified_address(
    price: str,
    collection: str,
    user: User,
    open_shop: Shop,
    frontend: Frontend,
    dashboard: Dashboard,
    account: StripeAccount,
) -> None:
    """A guest's purchase has no owner until a user verifies the address."""
    session = await _buy(open_shop, price, user.email)
    outcome = (await open_shop.come_back(None, session["id"])).json()
    assert outcome["status"] == "complete"
    await account.wait_delivered()
    assert await frontend.list_records(collection, token=user.token) == []

    path = f"/api/collections/users/records/{user.id}"
    await dashboard.call("PATCH", path, {"verified": True})
    [row] = await frontend.list_records(collection, token=user.token)
    assert row["id"] in outcome.values()


async def test_a_claimed_subscription_closes_an_open_page(
    user: User, open_shop: Shop, dashboard: Dashboard, account: StripeAccount
) -> None:
    """With the address the user gets the subscription, and can't pay for a second one."""
    opened = await open_shop.check_out(user, "pro_monthly")
    await _buy(open_shop, "pro_monthly", user.email)
    await account.wait_delivered()
    path = f"/api/collections/users/records/{user.id}"
    await dashboard.call("PATCH", path, {"verified": True})

    async def is_expired() -> bool:
        session = await account.read(f"checkout/sessions/{opened['id']}")
        return bool(session["status"] == "expired")

    await eventually(is_expired)


async def test_a_guest_gets_no_trial(
    open_shop: Shop, account: StripeAccount, make_price: Callable[..., Any]
) -> None:
    """A guest's history is unknown, so a guest gets no trial."""
    price = await make_price(trial_days="14")
    made = (await open_shop.post("/checkout", None, build_order(price))).json()
    assert (await account.read(f"checkout/sessions/{made['id']}"))["amount_total"] == 700


async def test_a_guests_key_is_one_session(open_shop: Shop) -> None:
    """A double click is one session for a guest as well."""
    order = build_order("lifetime")
    first, second = [
        (await open_shop.post("/checkout", None, order, key="guest-1")).json() for _ in range(2)
    ]
    assert first == second
    other = await open_shop.post("/checkout", None, build_order("pro_monthly"), key="guest-1")
    read_problem(other, 409, "idempotency-key-reused")


async def test_a_guest_sees_no_users_session(open_shop: Shop, shop: Shop, user: User) -> None:
    """Without a token only guests' sessions can be asked for; a bad token makes no guest."""
    session = await shop.check_out(user, "lifetime")
    read_problem(await open_shop.come_back(None, session["id"]), 404, "no-such-purchase")
    bad = User(user.id, user.email, user.password, "bad")
    read_problem(await open_shop.post("/checkout", bad, build_order("lifetime")), 401)


async def test_guests_are_not_served_unasked(shop: Shop) -> None:
    """By default one has to sign in."""
    read_problem(await shop.post("/checkout", None, build_order("lifetime")), 401)
