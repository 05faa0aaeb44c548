"""Credits: bought by a Checkout, used by an endpoint, counted in PostgreSQL.

Served by ``GATEWAY_APP=ledger.app:app`` and ``LEDGER_DATABASE_URL``; README.md explains it.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from psycopg_pool import AsyncConnectionPool
from pydantic import SecretStr

from gateway import Gateway, Settings
from ledger import purchases, usage
from ledger.postings import create_tables


class LedgerSettings(Settings):
    """The gateway's settings, and LEDGER_DATABASE_URL."""

    ledger_database_url: SecretStr


@asynccontextmanager
async def lifespan(app: Gateway) -> AsyncIterator[Mapping[str, Any]]:
    """Open the connections that handlers and endpoints share."""
    settings = app.settings
    assert isinstance(settings, LedgerSettings)
    url = settings.ledger_database_url.get_secret_value()
    async with AsyncConnectionPool(url, check=AsyncConnectionPool.check_connection) as pool:
        async with pool.connection() as connection:
            await create_tables(connection)
        yield {"ledger": pool}


app = Gateway(settings=LedgerSettings, lifespan=lifespan)
app.include_router(purchases.router)
app.include_router(usage.router)
