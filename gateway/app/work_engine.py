"""Runs the queue in this process, alone or with PostgreSQL."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from importlib.util import find_spec

from gateway.settings import Settings
from gateway.start_error import StartError
from gateway.work import WorkHandler, WorkQueue
from gateway.work.runner import WorkRunner, run_work


@asynccontextmanager
async def run_engine(
    settings: Settings,
    queue: WorkQueue,
    handlers: Iterable[WorkHandler],
    *,
    is_worker: bool,
    has_priority: Callable[[], bool],
) -> AsyncIterator[Callable[[str], None]]:
    """Run the queue while the block runs; at its end, finish or give back what is under way.

    Yields a function that ends the attempt at a cancelled item if this process makes it.

    Args:
        is_worker: whether this is `gateway worker`, which runs work with any settings.
        has_priority: returns whether deliveries of this process wait, which come first.

    Raises:
        StartError: packages for PostgreSQL are missing.
    """
    works = is_worker or settings.gateway_run_work
    if settings.gateway_database_url:
        url = settings.gateway_database_url.get_secret_value()
        async with _run_relay(url, queue, handlers, works=works):
            yield _leave_to_owner
    elif works:
        runner = WorkRunner(queue, handlers, has_priority=has_priority)
        async with run_work(runner):
            yield runner.end
    else:
        yield _leave_to_owner


def _leave_to_owner(id: str) -> None:
    """Do nothing: the process that runs the item sees the cancellation in PocketBase."""


@asynccontextmanager
async def _run_relay(
    url: str, queue: WorkQueue, handlers: Iterable[WorkHandler], *, works: bool
) -> AsyncIterator[None]:
    if not find_spec("procrastinate"):
        raise StartError(
            "GATEWAY_DATABASE_URL needs further packages: pip install"
            " 'pocketbase-gateway[postgres]'"
        )
    # Imported here, because most gateways have no PostgreSQL.
    from gateway.relay.run import run_relay

    async with run_relay(url, queue, handlers, works=works):
        yield
