"""Background tasks, for as long as the gateway runs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, NoReturn

from gateway.retries import retrying

#: Maximum pause after failures, for work with a shorter regular pause.
_MAX_PAUSE_SECONDS = 10.0


@asynccontextmanager
async def run_in_background(work: Coroutine[Any, Any, Any]) -> AsyncIterator[None]:
    """Run a coroutine while the block runs; cancel it at the end of the block."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def repeat(
    work: Callable[[], Awaitable[object]],
    pause: float,
    log: logging.Logger,
    name: str,
    *passing: type[Exception],
) -> NoReturn:
    """Do work now and after every pause; after failures the pauses grow.

    Args:
        pause: seconds between the end of one round and the next.
        name: the name in log lines: "<name> postponed", "<name> failed".
        passing: expected errors, logged with their reason; others are logged with a traceback.
    """

    async def work_once() -> None:
        try:
            await work()
        except passing as error:
            log.warning("%s postponed", name, extra={"reason": str(error)})
            raise
        except Exception:
            log.exception("%s failed", name)
            raise

    while True:
        async for attempt in retrying(
            Exception, first=pause, longest=max(pause, _MAX_PAUSE_SECONDS)
        ):
            with attempt:
                await work_once()
        await asyncio.sleep(pause)
