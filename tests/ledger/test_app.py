"""Credits through the gateway: a purchase adds them, an endpoint takes them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from psycopg import AsyncConnection

from gateway.dev.stack import Stack
from ledger.postings import Connection
from tests.deadline import eventually
from tests.frontend import User
from tests.ledger.balance_sheet import check, read_keys
from tests.shop import Shop
from tests.stripe_account import StripeAccount
from tests.user_without_purchase import sign_up_without_purchase

_CREDITS = 100


@pytest.fixture
def user(stack: Stack) -> User:
    """A new user per test."""
    return sign_up_without_purchase(stack.pocketbase.url)


@pytest_asyncio.fixture
async def ledger(ledger_database: str) -> AsyncIterator[Connection]:
    """A connection to the ledger of the shared gateway."""
    async with await AsyncConnection.connect(ledger_database, autocommit=True) as connection:
        yield connection


@pytest_asyncio.fixture
async def price(account: StripeAccount) -> str:
    """A price of 100 credits."""
    product = await account.create("products", name="Credits")
    price = await account.create(
        "prices",
        product=product["id"],
        currency="usd",
        unit_amount=1000,
        **{"metadata[credits]": str(_CREDITS)},
    )
    await account.wait_delivered()
    return str(price["id"])


async def _buy(shop: Shop, user: User, price: str) -> str:
    session = await shop.check_out(user, price)
    await shop.pay(session)

    async def credited() -> bool:
        return (await _balance(shop, user)) >= _CREDITS

    await eventually(credited)
    return session["id"]


async def _balance(shop: Shop, user: User) -> int:
    answer = await shop.http.get(f"{shop.url}/credits", headers=user.bearer)
    return int(answer.json()["balance"])


async def _use(shop: Shop, user: User, credits: int, key: str) -> httpx.Response:
    return await shop.post("/credits/use", user, {"credits": credits}, key=key)


async def test_a_purchase_adds_credits_once(
    shop: Shop, user: User, price: str, account: StripeAccount, ledger: Connection
) -> None:
    """Further deliveries of the event add nothing."""
    session = await _buy(shop, user, price)
    [event] = [
        event
        for event in await account.list("events", type="checkout.session.completed")
        if event["data"]["object"]["id"] == session
    ]
    await account.control(f"events/{event['id']}/redeliver", times=5)
    await account.wait_delivered()
    assert await _balance(shop, user) == _CREDITS
    assert f"purchase:{session}" in await read_keys(ledger)
    await check(ledger)


async def test_concurrent_use_takes_what_is_there(
    shop: Shop, user: User, price: str, ledger: Connection
) -> None:
    """Of 30 concurrent requests for 10 credits, each sent twice, 10 are served."""
    await _buy(shop, user, price)
    answers = await asyncio.gather(
        *(_use(shop, user, 10, f"key-{number % 30}") for number in range(60))
    )
    served = Counter(answer.status_code for answer in answers)
    assert served[200] in range(10, 21)
    assert served[402] == 60 - served[200]
    assert await _balance(shop, user) == 0
    used = [key for key in await read_keys(ledger) if key.startswith(f"usage:{user.id}:")]
    assert len(used) == 10
    await check(ledger)


async def test_a_key_means_one_amount(shop: Shop, user: User, price: str) -> None:
    """A repeated request gets the balance; the same key for another amount is refused."""
    await _buy(shop, user, price)
    for _ in range(2):
        assert (await _use(shop, user, 30, "a")).json() == {"balance": 70}
    assert (await _use(shop, user, 31, "a")).status_code == 409
    assert await _balance(shop, user) == 70


@pytest.mark.parametrize(("credits", "key"), [(0, "a"), (-5, "a"), (1, "")])
async def test_invalid_use_is_refused(shop: Shop, user: User, credits: Any, key: str) -> None:
    """Nothing and negative amounts, and requests without a key, are the client's errors."""
    answer = await _use(shop, user, credits, key)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_killed_gateway_loses_and_repeats_nothing(
    stack: Stack, shop: Shop, user: User, price: str, account: StripeAccount, ledger: Connection
) -> None:
    """The gateway is killed during uses; the clients and Stripe send again."""
    await _buy(shop, user, price)
    async with account.holding_deliveries():
        session = await shop.check_out(user, price)
        await shop.pay(session)
        uses = [asyncio.create_task(_use_until_served(shop, user, f"k{n}")) for n in range(10)]
        await eventually(lambda: _count_uses(ledger, user))
        stack.gateway.kill()
        stack.gateway.restart()
    stack.gateway.wait_ready()
    await asyncio.gather(*uses)
    await account.wait_delivered()

    async def exact() -> bool:
        return await _balance(shop, user) == 2 * _CREDITS - 10 * 5

    await eventually(exact, within=30)
    assert await _count_uses(ledger, user) == 10
    await check(ledger)


async def _use_until_served(shop: Shop, user: User, key: str) -> None:
    async def served() -> bool:
        try:
            return (await _use(shop, user, 5, key)).status_code == 200
        except httpx.TransportError:
            return False

    await eventually(served, within=60)


async def _count_uses(ledger: Connection, user: User) -> int:
    keys = await read_keys(ledger)
    return len([key for key in keys if key.startswith(f"usage:{user.id}:k")])
