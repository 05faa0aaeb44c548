"""The Python of docs/postgres.md works as it is written."""

import re
from typing import Any

import pytest
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from gateway.dev.pocketbase import ROOT

_BLOCK = re.compile(r"^```(\S+)(?: \S+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _read_blocks(language: str) -> list[str]:
    page = (ROOT / "docs" / "postgres.md").read_text()
    return [text for found, text in _BLOCK.findall(page) if found == language]


async def test_the_page_runs(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The app's lifespan creates the table, a repeated credit is applied once, keys are deleted."""
    monkeypatch.setenv("SHOP_DATABASE_URL", database)
    names: dict[str, Any] = {}
    for block in _read_blocks("python"):
        exec(block, names)  # noqa: S102
    async with names["lifespan"](names["app"]) as state:
        pool: AsyncConnectionPool[AsyncConnection[Any]] = state["pool"]
        async with pool.connection() as connection:
            await connection.execute("CREATE TABLE accounts (owner text, balance bigint)")
            await connection.execute("INSERT INTO accounts VALUES ('ann', 1)")
            for _ in range(2):
                await names["credit"](connection, "gift:1", "ann", 5)
            cursor = await connection.execute("SELECT balance FROM accounts")
            assert await cursor.fetchone() == (6,)
            [delete] = _read_blocks("sql")
            assert (await connection.execute(delete.encode())).rowcount == 0
