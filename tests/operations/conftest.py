"""An operator's means: the engine beside a stack, the command line, the admin API, the account."""

from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest
import pytest_asyncio

from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.frontend import Frontend
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
    """Whoever works in the Stripe account of this file's stack."""
    return Seller(http, shop_stack.simulator)


@pytest_asyncio.fixture
async def open_dashboard() -> AsyncIterator[Callable[[Stack], Dashboard]]:
    """Log in as the superuser of any stack."""
    frontends: list[Frontend] = []

    async def open_(stack: Stack) -> Dashboard:
        part = stack.pocketbase
        frontend = Frontend(part.url)
        frontends.append(frontend)
        token = await frontend.log_in(part.superuser_email, part.superuser_password, "_superusers")
        return Dashboard(frontend, token)

    yield open_
    for frontend in frontends:
        await frontend.http.aclose()
