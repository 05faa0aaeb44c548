"""A PocketBase of its own without a gateway; the tests run the work of its queue."""

from collections.abc import AsyncIterator, Iterator
from secrets import token_hex

import pytest
import pytest_asyncio

from gateway.dev.plan import plan_throwaway
from gateway.dev.pocketbase import PocketBaseProcess
from gateway.dev.stack import Stack
from gateway.pocketbase import PocketBase
from gateway.settings import Settings
from gateway.work import WorkQueue
from tests.dashboard import Dashboard
from tests.frontend import Frontend
from tests.pocketbase_alone import serve_alone
from tests.superuser import log_in_superuser
from tests.work.office import Office


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PocketBaseProcess]:
    """PocketBase alone."""
    with serve_alone(Stack(plan_throwaway(tmp_path_factory.mktemp("work"))).pocketbase) as part:
        yield part


@pytest_asyncio.fixture
async def pocketbase(server: PocketBaseProcess) -> AsyncIterator[PocketBase]:
    """A gateway's client of it."""
    settings = Settings(
        pocketbase_url=server.url,
        pocketbase_superuser_email=server.superuser_email,
        pocketbase_superuser_password=server.superuser_password,
        stripe_secret_key="sk_test_none",
        stripe_webhook_secrets="whsec_none",
        gateway_frontend_origins="http://localhost:3000",
    )
    async with PocketBase(settings) as client:
        yield client


@pytest_asyncio.fixture
async def browser(server: PocketBaseProcess) -> AsyncIterator[Frontend]:
    """A browser's view of it."""
    async with Frontend(server.url) as client:
        yield client


@pytest.fixture
def office(server: PocketBaseProcess, pocketbase: PocketBase, browser: Frontend) -> Office:
    """The queue with a handler name that no other test uses."""
    dashboard = Dashboard(browser, log_in_superuser(server))
    return Office(WorkQueue(pocketbase), dashboard, f"tests.handler_{token_hex(4)}")
