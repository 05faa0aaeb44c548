"""Background tasks, for as long as the gateway runs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Any, NoReturn

from gateway.errors import GatewayError, PocketBaseUnavailable
from gateway.retries import retrying

#: Maximum pause after failures, for work with a shorter regular pause.
_MAX_PAUSE_SECONDS = 10.0
#: Pause between two lines about the same outage of PocketBase.
_REPORT_SECONDS = 60.0
#: When this process last reported that PocketBase does not answer, by the monotonic clock.
_reported = float("-inf")
_log = logging.getLogger(__name__)


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


def log_postponed(log: logging.Logger, name: str, error: Exception) -> None:
    """Log that work is postponed: "<name> postponed".

    While PocketBase is away, as in each restart, all background work fails: one line reports it,
    and those of the work are at level DEBUG.
    """
    reason = error.detail if isinstance(error, GatewayError) else str(error)
    is_away = is_unanswered(error)
    log.log(
        logging.DEBUG if is_away else logging.WARNING,
        "%s postponed",
        name,
        extra={"reason": reason},
    )
    if is_away:
        _report_outage()


def is_unanswered(error: BaseException) -> bool:
    """Return whether PocketBase gave no answer at all."""
    return isinstance(error, PocketBaseUnavailable) and isinstance(error.__cause__, OSError)


def _report_outage() -> None:
    global _reported
    if monotonic() - _reported >= _REPORT_SECONDS:
        _reported = monotonic()
        _log.warning("PocketBase does not answer: background work waits")


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
            log_postponed(log, name, error)
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
