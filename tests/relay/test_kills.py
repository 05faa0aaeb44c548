"""The guarantees hold while workers, relays and databases are killed and paused."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import pytest_asyncio

from gateway.dev.stack import Stack
from gateway.pocketbase.contracts.work import NewItem
from gateway.work import WorkQueue
from tests.deadline import eventually, wait_until
from tests.gateway_settings import open_pocketbase
from tests.postgres_server import PostgresServer
from tests.relay.crew import HANDLER, Crew, open_crew

_KEYS = 6
_ITEMS_PER_KEY = 15
_UNORDERED = 60
_AT_MOST_ONCE = 60


@dataclass(frozen=True, slots=True)
class _Scene:
    """Everything that a test kills, and the queue."""

    stack: Stack
    crew: Crew
    queue: WorkQueue


@pytest_asyncio.fixture
async def scene(
    fresh_stack: Callable[..., Stack], database: str, tmp_path: Path
) -> AsyncIterator[_Scene]:
    """A gateway that relays and does not work, and three workers."""
    stack = fresh_stack(
        GATEWAY_APP="tests.relay.app:app",
        GATEWAY_DATABASE_URL=database,
        GATEWAY_RUN_WORK="false",
    )
    stack.gateway.wait_ready()
    async with open_pocketbase(stack.pocketbase) as pocketbase:
        with open_crew(stack.plan, tmp_path, database) as crew:
            yield _Scene(stack, crew, WorkQueue(pocketbase))


async def _add_all(queue: WorkQueue) -> tuple[list[str], list[str]]:
    """Add items; return the ids of those that run at least once, and at most once."""
    ordered = [
        _describe(key=f"key{key}", number=number)
        for number in range(_ITEMS_PER_KEY)
        for key in range(_KEYS)
    ]
    unordered = [_describe(number=number) for number in range(_UNORDERED)]
    once = [_describe(number=number, at_most_once=True) for number in range(_AT_MOST_ONCE)]
    await queue.enqueue([*ordered, *unordered, *once])
    return [item.id for item in (*ordered, *unordered)], [item.id for item in once]


def _describe(*, number: int, key: str = "", at_most_once: bool = False) -> NewItem:
    return NewItem(
        id=token_hex(7) + "0",
        kind="task",
        handler=HANDLER,
        key=key,
        payload={"key": key, "number": number},
        at_most_once=at_most_once,
    )


async def _wait_settled(queue: WorkQueue) -> None:
    async def is_settled() -> bool:
        counts = (await queue.status()).counts
        return not [count for count in counts if count.status in ("waiting", "running")]

    await eventually(is_settled, within=150)


async def _expect_guarantees(scene: _Scene, repeated: list[str], once: list[str]) -> None:
    runs = scene.crew.read_notes()
    for id in repeated:
        row = await scene.queue.find(id)
        assert row
        assert row["status"] == "done", row["error"]
        assert runs[id]
    for id in once:
        row = await scene.queue.find(id)
        assert row
        assert len(runs.get(id, [])) <= 1
        assert row["status"] in ("done", "parked"), row
        if row["status"] == "done":
            assert len(runs[id]) == 1
    order = scene.crew.read_order()
    for key in range(_KEYS):
        assert order[f"key{key}"] == list(range(_ITEMS_PER_KEY))


def _wait_for_runs(crew: Crew, count: int) -> None:
    wait_until(lambda: crew.count_runs() >= count, within=60)


async def test_killed_and_paused_workers_and_relays(scene: _Scene) -> None:
    """Workers and the relaying gateway are killed, one worker is paused and continued."""
    repeated, once = await _add_all(scene.queue)
    crew, gateway = scene.crew, scene.stack.gateway
    _wait_for_runs(crew, 10)
    crew.kill(0)
    _wait_for_runs(crew, 30)
    gateway.kill()
    crew.workers[1].pause()
    _wait_for_runs(crew, 60)
    crew.start(0)
    gateway.start()
    _wait_for_runs(crew, 90)
    crew.kill(2)
    crew.start(2)
    await asyncio.to_thread(wait_until, lambda: crew.count_runs() >= 150, 60)
    crew.workers[1].resume()
    await _wait_settled(scene.queue)
    await _expect_guarantees(scene, repeated, once)


async def test_killed_databases(scene: _Scene, postgres: PostgresServer) -> None:
    """PostgreSQL and PocketBase are killed and come back."""
    repeated, once = await _add_all(scene.queue)
    _wait_for_runs(scene.crew, 30)
    postgres.kill()
    postgres.start()
    _wait_for_runs(scene.crew, 60)
    scene.stack.pocketbase.kill()
    scene.stack.pocketbase.start()
    scene.stack.pocketbase.wait_healthy()
    await _wait_settled(scene.queue)
    await _expect_guarantees(scene, repeated, once)
