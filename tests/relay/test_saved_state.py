"""The state of jobs that a worker of the relay has saved."""

import asyncio
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from gateway.jobs.context import JobContext
from gateway.jobs.state import JobState
from gateway.relay.run import run_relay
from gateway.work import Done, WorkContext, WorkHandler, WorkItem
from gateway.work.outcome import Outcome
from tests.work.office import Office

_STALL = "UPDATE procrastinate_jobs SET status = 'todo', attempts = attempts + 1"


def _open_context(item: WorkItem, context: WorkContext) -> JobContext:
    """A job's context without clients."""
    unused: Any = None
    return JobContext(
        key=item.id,
        user=item.user,
        attempt=item.attempts,
        pocketbase=unused,
        stripe=unused,
        settings=unused,
        _save=context.save,
        _done=JobState.read(item.state),
    )


async def test_a_finished_step_is_not_repeated_after_its_worker_died(
    office: Office, database: str, tables: AsyncConnection[TupleRow]
) -> None:
    """Another worker starts the job from PostgreSQL, with the state that was saved last."""
    calls: list[str] = []
    has_stepped, may_end = asyncio.Event(), asyncio.Event()

    async def call(name: str) -> str:
        calls.append(name)
        return name

    async def run(item: WorkItem, context: WorkContext) -> Outcome:
        job = _open_context(item, context)
        first = await job.step("first", call, "first")
        if not has_stepped.is_set():
            job.memory["seen"] = "a\0b"
            await job.save()
            has_stepped.set()
            await may_end.wait()
        await job.step("second", call, "second")
        return Done({"first": first, "seen": job.memory["seen"]})

    async with run_relay(database, office.queue, [WorkHandler(office.handler, run)], works=True):
        [id] = await office.add()
        await asyncio.wait_for(has_stepped.wait(), 20)
        # As for a worker without heartbeat: the job is started again beside the first run.
        await tables.execute(_STALL)
        row = await office.wait_status(id, "done", within=40)
        may_end.set()
    assert row["result"] == {"first": "first", "seen": "a\0b"}
    assert calls[:2] == ["first", "second"]
