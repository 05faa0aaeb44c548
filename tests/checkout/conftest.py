"""Fixtures of the checkout tests: users, prices, and counts of objects created at Stripe."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
import pytest_asyncio

from gateway.dev.stack import Stack
from tests.frontend import Frontend, User
from tests.stripe_account import StripeAccount
from tests.user_without_purchase import sign_up_without_purchase

CountMade = Callable[[], Awaitable[dict[str, int]]]
MakePrice = Callable[..., Awaitable[str]]
HoldWebhooks = Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture(scope="session")
def user_without_purchase(stack: Stack) -> User:
    """A user who never buys anything: signed up once, for all requests that are refused."""
    return sign_up_without_purchase(stack.pocketbase.url)


@pytest_asyncio.fixture
async def user(frontend: Frontend) -> User:
    """A new user."""
    return await frontend.sign_up()


@pytest.fixture
def count_made(account: StripeAccount) -> CountMade:
    """Count the objects that the gateway created at Stripe."""

    async def count() -> dict[str, int]:
        return await account.count("customer", "checkout.session", "billing_portal.session")

    return count


@pytest.fixture
def make_price(account: StripeAccount) -> MakePrice:
    """Create a price with terms in its metadata, and wait until it is mirrored."""

    async def make(interval: str = "month", currency: str = "usd", **terms: str) -> str:
        product = await account.create("products", name="Made for a test")
        fields: dict[str, str | int] = {
            f"metadata[checkout_{name}]": text for name, text in terms.items()
        }
        if interval:
            fields["recurring[interval]"] = interval
        price = await account.create(
            "prices", product=product["id"], currency=currency, unit_amount=700, **fields
        )
        await account.wait_delivered()
        return str(price["id"])

    return make


@pytest.fixture
def hold_webhooks(account: StripeAccount) -> HoldWebhooks:
    """Hold deliveries back until the context ends, and then wait until all have arrived."""

    @asynccontextmanager
    async def hold() -> AsyncIterator[None]:
        await account.control("deliveries", paused=True)
        try:
            yield
        finally:
            await account.control("deliveries", paused=False)
            await account.wait_delivered()

    return hold
