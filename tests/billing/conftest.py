"""Users who have bought, and what they ask of their subscriptions."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from tests.billing.subscriber import Subscriber, sign_up_subscriber
from tests.frontend import Frontend
from tests.shop import Shop
from tests.stripe_account import StripeAccount

Subscribe = Callable[..., Awaitable[Subscriber]]
MakeFault = Callable[..., Awaitable[None]]


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
