"""Connections to PostgreSQL, and the tables of the relay and of procrastinate."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

import psycopg
from procrastinate import App, PsycopgConnector
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from gateway.start_error import StartError

Pool = AsyncConnectionPool[AsyncConnection[Any]]

_MAX_CONNECTIONS = 10
#: The last three end a connection within half a minute after its server is gone.
_OPTIONS: Mapping[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
}
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('gateway_relay'))"
_HAS_PROCRASTINATE = "SELECT to_regclass('procrastinate_jobs') IS NOT NULL"


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Pool]:
    """Open connections, and create the tables that are missing.

    Raises:
        StartError: PostgreSQL does not answer, or refuses; the message has no password.
    """
    try:
        async with connect(url) as connection:
            await _create_tables(connection)
    except psycopg.Error as error:
        reason = f"{error}".strip().splitlines()[0]
        raise StartError(f"GATEWAY_DATABASE_URL: PostgreSQL can't be used: {reason}") from error
    async with AsyncConnectionPool(
        url,
        kwargs=dict(_OPTIONS),
        min_size=1,
        max_size=_MAX_CONNECTIONS,
        check=AsyncConnectionPool.check_connection,
        open=False,
    ) as pool:
        yield pool


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


async def _create_tables(connection: AsyncConnection[Any]) -> None:
    # Processes that start at once wait for each other.
    await connection.execute(_LOCK)
    found = await (await connection.execute(_HAS_PROCRASTINATE)).fetchone()
    if found != (True,):
        schema = App(connector=PsycopgConnector()).schema_manager.get_schema()
        await connection.execute(schema)
    ours = files("gateway.relay").joinpath("schema.sql").read_text()
    await connection.execute(ours.encode())
