"""The queue of PocketBase, run by procrastinate on a real PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from psycopg import AsyncConnection, sql
from psycopg.rows import TupleRow

from gateway.dev.ports import pick_free
from gateway.relay.run import run_relay
from gateway.work import Done, GiveUp, Park, RecordWrite, Retry, WorkContext, WorkHandler, WorkItem
from gateway.work.outcome import Outcome
from tests.deadline import eventually
from tests.work.office import Office

Tables = AsyncConnection[TupleRow]
Run = Callable[[WorkItem, WorkContext], Awaitable[Outcome | None]]


def _handler(office: Office, run: Run, **options: Any) -> WorkHandler:
    return WorkHandler(office.handler, run, **options)


async def _count(tables: Tables, table: str) -> int:
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
    row = await (await tables.execute(query)).fetchone()
    assert row
    return int(row[0])


async def _wait_all(office: Office, ids: list[str], status: str = "done") -> None:
    for id in ids:
        await office.wait_status(id, status, within=30)


async def test_items_run_and_their_rows_show_it(
    office: Office, database: str, tables: Tables
) -> None:
    """Every item runs once with its payload; nothing is left in PostgreSQL."""
    seen: list[tuple[str, Any]] = []

    async def run(item: WorkItem, context: WorkContext) -> Outcome:
        seen.append((item.id, item.payload))
        return Done({"number": item.payload["number"]})

    async with run_relay(database, office.queue, [_handler(office, run)], works=True):
        ids = [(await office.add(payload={"number": n, "text": "a\0b"}))[0] for n in range(40)]
        await _wait_all(office, ids)
        assert sorted(id for id, _ in seen) == sorted(ids)
        assert all(payload["text"] == "a\0b" for _, payload in seen)
        row = await office.read(ids[3])
        assert row["result"] == {"number": 3}
        assert row["attempts"] == 1

        async def is_empty() -> bool:
            items = await _count(tables, "gateway_relayed_items")
            return items + await _count(tables, "procrastinate_jobs") == 0

        await eventually(is_empty)


async def test_the_next_attempt_gets_the_stored_state(office: Office, database: str) -> None:
    """A worker's `save` stores progress and state in PocketBase while the item runs."""
    states: list[Any] = []

    async def run(item: WorkItem, context: WorkContext) -> Outcome:
        states.append(item.state)
        if item.state is not None:
            return Done()
        await context.save(progress=0.5, state={"cursor": 7})
        assert (await office.read(item.id))["progress"] == 0.5
        return Retry("the second half is left", delay=0)

    async with run_relay(database, office.queue, [_handler(office, run)], works=True):
        [id] = await office.add()
        await office.wait_status(id, "done", within=30)
    assert states == [None, {"cursor": 7}]


@pytest.mark.parametrize(
    ("outcome", "status", "error"),
    [
        (Park("needs a person"), "parked", "needs a person"),
        (GiveUp("no such account"), "parked", "no such account"),
        (Retry("later", delay=3600), "waiting", "later"),
        (ValueError("wrong"), "waiting", "ValueError: wrong"),
        (Done(writes=(RecordWrite("create", "nothing", data={}),)), "waiting", "write 1"),
    ],
)
async def test_a_failure_is_stored_as_without_postgresql(
    outcome: Any, status: str, error: str, office: Office, database: str
) -> None:
    """PocketBase's row has the error, and the next attempt is due by the queue's own back-off."""

    async def run(item: WorkItem, context: WorkContext) -> Outcome:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async with run_relay(database, office.queue, [_handler(office, run)], works=True):
        [id] = await office.add()

        async def is_stored() -> bool:
            row = await office.read(id)
            return row["status"] == status and error in row["error"]

        await eventually(is_stored, within=20)
        await office.queue.cancel([id])


async def test_a_retry_runs_again_with_the_same_key(office: Office, database: str) -> None:
    """Attempts of an item have one id; the last failure parks it."""
    seen: list[tuple[str, int]] = []

    async def run(item: WorkItem, context: WorkContext) -> Outcome:
        seen.append((item.id, item.attempts))
        return Retry("again", delay=0)

    async with run_relay(database, office.queue, [_handler(office, run)], works=True):
        [id] = await office.add(tries=3)
        await office.wait_status(id, "parked", within=20)
    assert seen == [(id, 1), (id, 2), (id, 3)]


async def test_items_of_a_key_run_in_order(office: Office, database: str) -> None:
    """Two workers keep the order of each key."""
    seen: dict[str, list[int]] = {"a": [], "b": []}
    running: set[str] = set()

    async def run(item: WorkItem, context: WorkContext) -> None:
        assert item.key not in running
        running.add(item.key)
        await asyncio.sleep(0.01)
        seen[item.key].append(item.payload)
        running.remove(item.key)

    async with AsyncExitStack() as stack:
        for _ in range(2):
            relay = run_relay(database, office.queue, [_handler(office, run)], works=True)
            await stack.enter_async_context(relay)
        ids = [(await office.add(key=key, payload=n))[0] for n in range(10) for key in "ab"]
        await _wait_all(office, ids)
    assert seen == {"a": list(range(10)), "b": list(range(10))}


async def test_without_a_worker_items_wait_in_pocketbase(office: Office, database: str) -> None:
    """A gateway that only relays claims nothing before a worker has the handler."""

    async def run(item: WorkItem, context: WorkContext) -> None:
        return None

    async with run_relay(database, office.queue, [_handler(office, run)], works=False):
        [id] = await office.add()
        office.queue.wake()
        await asyncio.sleep(0.5)
        assert (await office.read(id))["status"] == "waiting"
        async with run_relay(database, office.queue, [_handler(office, run)], works=True):
            await office.wait_status(id, "done", within=20)


async def test_a_stopping_worker_gives_its_items_back(office: Office, database: str) -> None:
    """A running item goes back to PocketBase without an attempt, and another worker runs it."""
    started = asyncio.Event()

    async def hang(item: WorkItem, context: WorkContext) -> None:
        started.set()
        await asyncio.Event().wait()

    async def run(item: WorkItem, context: WorkContext) -> None:
        return None

    async with run_relay(
        database, office.queue, [_handler(office, hang, timeout=None)], works=True
    ):
        [id] = await office.add()
        await asyncio.wait_for(started.wait(), 20)
    row = await office.read(id)
    assert (row["status"], row["attempts"]) == ("waiting", 0)
    async with run_relay(database, office.queue, [_handler(office, run)], works=True):
        await office.wait_status(id, "done", within=20)


async def test_without_postgresql_the_process_starts(office: Office, database: str) -> None:
    """Items wait in PocketBase while PostgreSQL does not answer."""

    async def run(item: WorkItem, context: WorkContext) -> None:
        return None

    nowhere = f"postgresql://postgres@127.0.0.1:{pick_free()}/none"
    async with run_relay(nowhere, office.queue, [_handler(office, run)], works=True):
        [id] = await office.add()
        assert (await office.read(id))["status"] == "waiting"
    async with run_relay(database, office.queue, [_handler(office, run)], works=True):
        await office.wait_status(id, "done", within=20)
