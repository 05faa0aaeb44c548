"""An operator's means: the engine beside a stack, the command line, the admin API, the account."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio

from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack
from tests.dashboard import Dashboard, open_dashboard
from tests.operations.operator import Operator, open_operator
from tests.operations.seller import Seller


@pytest.fixture(scope="module")
def shop_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Running parts for the tests of one file, which compare a whole account with the mirror."""
    with Stack(plan_throwaway(tmp_path_factory.mktemp("shop"))) as running:
        yield running


@pytest_asyncio.fixture
async def operator(stack: Stack) -> AsyncIterator[Operator]:
    """The operator of the shared stack."""
    async with open_operator(stack) as found:
        yield found


@pytest_asyncio.fixture
async def shop_operator(shop_stack: Stack) -> AsyncIterator[Operator]:
    """The operator of this file's stack."""
    async with open_operator(shop_stack) as found:
        yield found


@pytest.fixture
def seller(http: httpx.AsyncClient, shop_stack: Stack) -> Seller:
    """The seller in the Stripe account of this file's stack."""
    return Seller(http, shop_stack.simulator)


@pytest_asyncio.fixture
async def quiet_seller(seller: Seller) -> AsyncIterator[Seller]:
    """The seller of an account that the mirror equals, and that delivers nothing from now on."""
    await seller.wait_delivered()
    await seller.switch(paused=True)
    yield seller
    await seller.switch(paused=False)
    await seller.wait_delivered()


@pytest_asyncio.fixture
async def shop_dashboard(shop_stack: Stack) -> AsyncIterator[Dashboard]:
    """The superuser's view of this file's PocketBase."""
    async with open_dashboard(shop_stack.pocketbase) as dashboard:
        yield dashboard
