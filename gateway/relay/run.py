"""The relay and the worker of one process."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from gateway.background import run_in_background
from gateway.relay.database import create_tables, open_database, open_procrastinate
from gateway.relay.relay import Relay
from gateway.relay.relay_tables import RelayTables
from gateway.relay.worker import Worker
from gateway.relay.worker_tables import WorkerTables
from gateway.work import WorkHandler, WorkQueue
from gateway.work.handler import index_work_handlers


@asynccontextmanager
async def run_relay(
    url: str, queue: WorkQueue, handlers: Iterable[WorkHandler], *, works: bool
) -> AsyncIterator[None]:
    """Relay the queue to PostgreSQL while the block runs; then end running items.

    Without PostgreSQL the block runs all the same, and items wait in PocketBase.

    Args:
        url: PostgreSQL's address.
        works: whether this process runs items too.
    """
    async with open_database(url) as pool, open_procrastinate(pool) as procrastinate:
        relay = Relay(url, RelayTables(pool, procrastinate), queue)
        worker = Worker(procrastinate, WorkerTables(pool), queue, index_work_handlers(handlers))
        async with run_in_background(_run(url, relay, worker if works else None)):
            yield


async def _run(url: str, relay: Relay, worker: Worker | None) -> None:
    """Relay and work until cancelled; the relay ends after the worker, with the last results."""
    await create_tables(url)
    try:
        async with run_in_background(relay.run()):
            await (worker.run() if worker else asyncio.Event().wait())
    finally:
        await relay.close()
