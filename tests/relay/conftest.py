"""PocketBase alone, and an empty PostgreSQL database to relay its queue to."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from gateway.dev.pocketbase import PocketBaseProcess
from gateway.pocketbase import PocketBase
from gateway.work import WorkQueue
from tests.dashboard import Dashboard
from tests.frontend import Frontend
from tests.superuser import log_in_superuser
from tests.work.conftest import browser, pocketbase, server
from tests.work.office import Office

__all__ = ["browser", "pocketbase", "server"]


@pytest.fixture
def office(server: PocketBaseProcess, pocketbase: PocketBase, browser: Frontend) -> Office:
    """The queue with a handler name of its own."""
    dashboard = Dashboard(browser, log_in_superuser(server))
    return Office(WorkQueue(pocketbase), dashboard, "tests.relayed")


@pytest_asyncio.fixture
async def tables(database: str) -> AsyncIterator[AsyncConnection[TupleRow]]:
    """A connection to the database of the relay."""
    async with await AsyncConnection.connect(database, autocommit=True) as connection:
        yield connection
