"""Connections to PostgreSQL, and the tables of the relay and of procrastinate."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

import psycopg
from procrastinate import App, PsycopgConnector
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from gateway.retries import retrying

_log = logging.getLogger(__name__)

Pool = AsyncConnectionPool[AsyncConnection[Any]]

_MAX_CONNECTIONS = 10
#: The last three end a connection within half a minute after its server is gone.
_OPTIONS: Mapping[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
}
# A process that is paused in a transaction must not hold its locks.
_TIMEOUTS = "SET idle_in_transaction_session_timeout = '10s'; SET lock_timeout = '10s'"
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('gateway_relay'))"
# Without a look, CREATE INDEX IF NOT EXISTS would wait for every open transaction.
_EXISTS = "SELECT to_regclass(%s) IS NOT NULL"


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Pool]:
    """Provide connections; PostgreSQL may come later."""
    async with AsyncConnectionPool(
        url,
        kwargs=dict(_OPTIONS),
        min_size=1,
        max_size=_MAX_CONNECTIONS,
        check=AsyncConnectionPool.check_connection,
        configure=_set_timeouts,
        open=False,
    ) as pool:
        yield pool


async def create_tables(url: str) -> None:
    """Create the tables that are missing, as soon as PostgreSQL answers."""
    async for attempt in retrying(psycopg.Error, first=1.0, longest=10.0):
        with attempt:
            try:
                async with connect(url) as connection:
                    await _create_tables(connection)
            except psycopg.Error as error:
                reason = f"{error}".strip().partition("\n")[0]
                _log.warning("PostgreSQL can't be used", extra={"reason": reason})
                raise


@asynccontextmanager
async def connect(url: str, *, autocommit: bool = False) -> AsyncIterator[AsyncConnection[Any]]:
    """Open one connection; its transaction is committed at the end of the block.

    Raises:
        psycopg.OperationalError: PostgreSQL does not answer.
    """
    async with await AsyncConnection.connect(url, autocommit=autocommit, **_OPTIONS) as connection:
        yield connection


@asynccontextmanager
async def open_procrastinate(pool: Pool) -> AsyncIterator[App]:
    """Provide an app of procrastinate that uses the pool."""
    app = App(connector=PsycopgConnector())
    async with app.open_async(pool):
        yield app


async def _set_timeouts(connection: AsyncConnection[Any]) -> None:
    await connection.execute(_TIMEOUTS)
    await connection.commit()


async def _create_tables(connection: AsyncConnection[Any]) -> None:
    # Processes that start at once wait for each other.
    await connection.execute(_LOCK)
    if not await _exists(connection, "procrastinate_jobs"):
        schema = App(connector=PsycopgConnector()).schema_manager.get_schema()
        await connection.execute(schema)
    if not await _exists(connection, "gateway_workers"):
        ours = files("gateway.relay").joinpath("schema.sql").read_text()
        await connection.execute(ours.encode())


async def _exists(connection: AsyncConnection[Any], table: str) -> bool:
    return await (await connection.execute(_EXISTS, (table,))).fetchone() == (True,)
