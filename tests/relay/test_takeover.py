"""A relay continues where another one died, and one that was paused does no harm."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from gateway.pocketbase.contracts.work import ClaimedItem
from gateway.relay.database import create_tables, open_database, open_procrastinate
from gateway.relay.relay import Relay
from gateway.relay.relay_tables import RelayTables
from gateway.relay.run import run_relay
from gateway.work import WorkContext, WorkHandler, WorkItem
from tests.work.office import Office

Tables = AsyncConnection[TupleRow]


class _Relays:
    """Relays of two processes, which a test interrupts between their steps."""

    def __init__(self, first: RelayTables, second: RelayTables, tables: Tables) -> None:
        self.first = first
        self.second = second
        self._tables = tables

    async def begin(self, relay: RelayTables) -> str:
        """Let one lead at once; return its token."""
        await self._tables.execute("UPDATE gateway_relay SET leads_until = '-infinity'")
        turn = await relay.begin()
        assert turn
        return turn.token

    async def count_jobs(self) -> int:
        """Return the number of procrastinate's jobs."""
        found = await self._tables.execute("SELECT count(*) FROM procrastinate_jobs")
        row = await found.fetchone()
        assert row
        return int(row[0])


@pytest_asyncio.fixture
async def relays(database: str, tables: Tables) -> AsyncIterator[_Relays]:
    """Two relays of one database."""
    await create_tables(database)
    async with open_database(database) as pool, open_procrastinate(pool) as procrastinate:
        first, second = (RelayTables(pool, procrastinate) for _ in range(2))
        yield _Relays(first, second, tables)


async def _claim(office: Office, token: str) -> tuple[ClaimedItem, ...]:
    return (await office.exchange(token=token, lease_seconds=600, again=True)).items


async def _run_to_end(office: Office, database: str, id: str) -> list[str]:
    """Let a worker do the rest; return the ids that it ran."""
    seen: list[str] = []

    async def run(item: WorkItem, context: WorkContext) -> None:
        seen.append(item.id)

    handler = WorkHandler(office.handler, run)
    async with run_relay(database, office.queue, [handler], works=True):
        await office.wait_status(id, "done", within=40)
    return seen


async def test_items_claimed_by_a_relay_that_died_are_found(
    office: Office, relays: _Relays, database: str
) -> None:
    """The next relay claims under the same token, and gets them without another attempt."""
    [id] = await office.add(at_most_once=True)
    claimed = await _claim(office, await relays.begin(relays.first))
    assert [item.id for item in claimed] == [id]
    assert await _run_to_end(office, database, id) == [id]
    assert (await office.read(id))["attempts"] == 1


async def test_items_are_inserted_once(office: Office, relays: _Relays, database: str) -> None:
    """Two relays with the same token and items insert one job each."""
    [id] = await office.add()
    token = await relays.begin(relays.first)
    assert await relays.begin(relays.second) == token
    items = await _claim(office, token)
    again = await _claim(office, token)
    assert await relays.first.insert(token, items) == ()
    assert list(await relays.second.insert(token, again)) == []
    assert await relays.count_jobs() == 1
    assert await _run_to_end(office, database, id) == [id]


async def test_a_late_claim_is_returned(office: Office, relays: _Relays, database: str) -> None:
    """A relay that was paused between token and claim gives its items back."""
    [first] = await office.add()
    old = await relays.begin(relays.first)
    assert await relays.begin(relays.second) == old
    assert await relays.second.insert(old, await _claim(office, old)) == ()
    [late] = await office.add()
    surplus = await relays.first.insert(old, await _claim(office, old))
    assert [item.id for item in surplus] == [late]
    relay = Relay(database, relays.first, office.queue)
    await relay.give_back(old, surplus)
    row = await office.read(late)
    assert (row["status"], row["attempts"]) == ("waiting", 0)
    assert (await office.read(first))["status"] == "running"
    await office.queue.cancel([first])
    assert await _run_to_end(office, database, late) in ([late], [first, late])


@pytest.mark.parametrize("loses", ["answer", "none"])
async def test_a_result_is_stored_once(
    loses: str, office: Office, relays: _Relays, database: str, tables: Tables
) -> None:
    """A relay that dies after the settle leaves the row; the next one deletes it."""
    [id] = await office.add()
    seen: list[Any] = []

    async def run(item: WorkItem, context: WorkContext) -> None:
        seen.append(item.id)
        if loses == "answer":
            # As if the answer of the exchange that settles this were lost: settled already.
            await office.settle(item, "done")

    handler = WorkHandler(office.handler, run)
    async with run_relay(database, office.queue, [handler], works=True):
        await office.wait_status(id, "done", within=20)
    found = await tables.execute("SELECT count(*) FROM gateway_relayed_items")
    assert await found.fetchone() == (0,)
    assert seen == [id]
