"""Users who have bought, and what they ask of their subscriptions."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import httpx
import pytest
import pytest_asyncio

from gateway.dev.stack import Stack
from tests.billing.subscriber import Subscriber, sign_up_subscriber
from tests.deadline import wait_until
from tests.frontend import Frontend
from tests.shop import Shop
from tests.stripe_account import StripeAccount

Subscribe = Callable[..., Awaitable[Subscriber]]
MakeFault = Callable[..., Awaitable[None]]


@pytest.fixture(scope="session", autouse=True)
def catalogue(stack: Stack) -> None:
    """Wait until what is for sale has been mirrored."""

    path = f"{stack.pocketbase.url}/api/collections/prices/records?filter=lookup_key='lifetime'"
    wait_until(lambda: httpx.get(path, trust_env=False).json()["items"])


@pytest.fixture
def subscribe(frontend: Frontend, shop: Shop, account: StripeAccount) -> Subscribe:
    """Sign up and buy: `await subscribe("pro_monthly", card="4242")`."""

    return partial(sign_up_subscriber, frontend, shop, account)


@pytest_asyncio.fixture
async def faults(account: StripeAccount) -> AsyncIterator[MakeFault]:
    """Let Stripe fail: `await faults("/v1/subscriptions", status=500)`; it ends with the test."""

    async def make(path: str, **how: Any) -> None:
        await account.control("faults", path=path, **{"method": "POST"} | how)

    yield make
    await account.clear_faults()
