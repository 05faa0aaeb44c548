"""Work beside the requests, for as long as the gateway serves them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, NoReturn

from gateway.retries import retrying

#: The most seconds between two tries of what is done more often.
_LONGEST_PAUSE = 10.0


@asynccontextmanager
async def run_in_background(work: Coroutine[Any, Any, Any]) -> AsyncIterator[None]:
    """Run something while the block runs, and break it off at its end."""
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
    """Do something at once, and then after every pause; after failures, with growing pauses.

    Args:
        pause: seconds between the end of one round and the next.
        name: what the log calls it.
        passing: errors that time mends: the log has their reason, of others all there is.
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
        async for attempt in retrying(Exception, first=pause, longest=max(pause, _LONGEST_PAUSE)):
            with attempt:
                await work_once()
        await asyncio.sleep(pause)
