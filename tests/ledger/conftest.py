"""The ledger of examples/ledger on a real PostgreSQL, alone and served by a gateway."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from psycopg import AsyncConnection

from gateway.dev.plan import plan_throwaway
from gateway.dev.pocketbase import ROOT
from gateway.dev.stack import Stack
from ledger.postings import Connection, create_tables
from tests.postgres_server import PostgresServer

EXAMPLES = ROOT / "examples"


@pytest_asyncio.fixture
async def connection(database: str) -> AsyncIterator[Connection]:
    """A connection to an empty ledger."""
    async with await AsyncConnection.connect(database, autocommit=True) as opened:
        await create_tables(opened)
        yield opened


@pytest.fixture(scope="session")
def ledger_database(postgres: PostgresServer) -> str:
    """The database of the gateway that the tests share."""
    return postgres.create_database()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, ledger_database: str) -> Iterator[Stack]:
    """PocketBase, the simulator and a gateway that serves the ledger."""
    env = {"GATEWAY_APP": "ledger.app:app", "LEDGER_DATABASE_URL": ledger_database}
    made = Stack(plan_throwaway(tmp_path_factory.mktemp("ledger"), env))
    made.gateway.cwd = EXAMPLES
    with made as running:
        running.gateway.wait_ready()
        yield running
