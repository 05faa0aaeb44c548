"""The ledger is exact while posting processes and PostgreSQL itself are killed."""

import asyncio
import os
import sys
from pathlib import Path
from random import Random

from psycopg import AsyncConnection

from gateway.dev.pocketbase import ROOT
from ledger.postings import Connection, create_tables
from tests.deadline import eventually
from tests.ledger.balance_sheet import check, read_keys
from tests.ledger.conftest import EXAMPLES
from tests.ledger.poster import CREDITS, PURCHASES, USERS, USES, list_transfers
from tests.postgres_server import PostgresServer

_POSTERS = 3
_KILLS = 6


class _Posters:
    """Processes that post the same transfers at the same time."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._random = Random(7)
        self._running: list[asyncio.subprocess.Process] = []

    async def start(self) -> None:
        """Start one more process."""
        path = os.pathsep.join([str(EXAMPLES), str(ROOT)])
        self._running.append(
            await asyncio.create_subprocess_exec(
                *(sys.executable, Path(__file__).with_name("poster.py"), self._url),
                str(self._random.random()).removeprefix("0."),
                env={**os.environ, "PYTHONPATH": path},
            )
        )

    async def kill_one(self) -> None:
        """Kill a process by SIGKILL, wherever it is, and start another."""
        victim = self._running.pop(self._random.randrange(len(self._running)))
        if victim.returncode is None:
            victim.kill()
        await victim.wait()
        await self.start()

    async def wait(self) -> None:
        """Wait until all processes have posted everything."""
        async with asyncio.timeout(60):
            assert [await each.wait() for each in self._running] == [0] * len(self._running)


async def test_killed_processes_lose_and_repeat_nothing(
    connection: Connection, database: str
) -> None:
    """Three processes post the same 300 transfers while one after another is killed."""
    posters = _Posters(database)
    for _ in range(_POSTERS):
        await posters.start()
    for number in range(_KILLS):
        await _wait_for_transfers(connection, 30 * (number + 1))
        await posters.kill_one()
    await posters.wait()
    await _expect_all(connection)


async def test_a_killed_postgresql_loses_and_repeats_nothing(
    postgres: PostgresServer, database: str
) -> None:
    """PostgreSQL is killed twice while three processes post."""
    posters = _Posters(database)
    async with await AsyncConnection.connect(database, autocommit=True) as connection:
        await create_tables(connection)
    for _ in range(_POSTERS):
        await posters.start()
    for number in range(2):
        async with await AsyncConnection.connect(database, autocommit=True) as connection:
            await _wait_for_transfers(connection, 80 * (number + 1))
        postgres.kill()
        postgres.start()
    await posters.wait()
    async with await AsyncConnection.connect(database, autocommit=True) as connection:
        await _expect_all(connection)


async def _wait_for_transfers(connection: Connection, count: int) -> None:
    async def enough() -> bool:
        return len(await read_keys(connection)) >= count

    await eventually(enough, within=60)


async def _expect_all(connection: Connection) -> None:
    assert await read_keys(connection) == sorted(key for key, _ in list_transfers())
    sums = await check(connection)
    assert {sums.pop("sold"), -sums.pop("used")} == {-USES * CREDITS}
    assert sums == {f"user:user{number}": 0 for number in range(USERS)}
    assert PURCHASES * 4 == USES
