"""The relay and the worker of one process."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from gateway.background import run_in_background
from gateway.relay.database import open_database, open_procrastinate
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

    Args:
        url: PostgreSQL's address.
        works: whether this process runs items too.

    Raises:
        StartError: PostgreSQL can't be used.
    """
    async with open_database(url) as pool, open_procrastinate(pool) as procrastinate:
        worker_tables = WorkerTables(pool)
        relay = Relay(url, RelayTables(pool, procrastinate), queue)
        worker = Worker(procrastinate, worker_tables, queue, index_work_handlers(handlers))
        async with run_in_background(relay.run()):
            running = asyncio.create_task(worker.run()) if works else None
            try:
                yield
            finally:
                if running:
                    running.cancel()
                    await asyncio.gather(running, return_exceptions=True)
        await relay.close()
