"""Runs items as jobs of procrastinate, as long as this process works."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from secrets import token_hex
from typing import NoReturn

import psycopg
from procrastinate import App, BaseRetryStrategy, RetryDecision
from procrastinate.exceptions import ProcrastinateException
from procrastinate.jobs import Job

from gateway.background import repeat, run_in_background
from gateway.relay.attempts import AnotherClaim, ItemRunner
from gateway.relay.jobs import TASK, queue_of
from gateway.relay.relay_tables import WORKER_SECONDS
from gateway.relay.worker_tables import WorkerTables
from gateway.work import WorkHandler, WorkQueue

_log = logging.getLogger(__name__)

#: Jobs that one process runs at once, of all handlers.
_CONCURRENCY = 32
_HEARTBEAT_SECONDS = 5
_DRAIN_SECONDS = 10.0
_PAUSE_SECONDS = 2.0


#: Why a job is started again: a newer claim, this process's end, or PostgreSQL.
_EXPECTED = (AnotherClaim, ProcrastinateException, psycopg.Error)


class _StartAgain(BaseRetryStrategy):
    """Runs a job again that ended without a result."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        """Return a short delay; a handler's own failures are results and don't come here."""
        if not isinstance(exception, _EXPECTED) and isinstance(exception, Exception):
            _log.error("job failed", exc_info=exception)
        return RetryDecision(retry_in={"seconds": min(60, 2**job.attempts)})


class Worker:
    """Takes jobs of the handlers of this process until it is cancelled."""

    def __init__(
        self,
        procrastinate: App,
        worker_tables: WorkerTables,
        queue: WorkQueue,
        handlers: Mapping[str, WorkHandler],
    ) -> None:
        self._procrastinate = procrastinate
        self._tables = worker_tables
        self._handlers = handlers
        self._name = token_hex(8)
        # A line per job is too much; their results are logged by our own names.
        logging.getLogger("procrastinate").setLevel(logging.WARNING)
        self._runner = ItemRunner(handlers, worker_tables, queue)
        task = procrastinate.task(name=TASK, retry=_StartAgain(), pass_context=True)
        task(self._runner.run)

    async def run(self) -> NoReturn:
        """Work until cancelled; then let running items end, and give the others back."""
        working = asyncio.create_task(self._run_jobs())
        try:
            async with run_in_background(self._runner.release_unstored()):
                await self._announce()
        finally:
            with suppress(psycopg.Error):
                await self._tables.forget_worker(self._name)
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    async def _run_jobs(self) -> NoReturn:
        while True:
            try:
                await self._procrastinate.run_worker_async(
                    queues=[queue_of(name) for name in self._handlers],
                    concurrency=_CONCURRENCY,
                    install_signal_handlers=False,
                    shutdown_graceful_timeout=_DRAIN_SECONDS,
                    delete_jobs="successful",
                    fetch_job_polling_interval=_PAUSE_SECONDS,
                    update_heartbeat_interval=_HEARTBEAT_SECONDS,
                    stalled_worker_timeout=WORKER_SECONDS,
                )
            except (ProcrastinateException, psycopg.Error) as error:
                _log.warning("worker postponed", extra={"reason": _describe(error)})
            except Exception:  # The next attempt must follow any error.
                _log.exception("worker failed")
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _announce(self) -> NoReturn:
        handlers = {name: handler.concurrency for name, handler in self._handlers.items()}

        async def announce() -> None:
            await self._tables.announce_worker(self._name, handlers)

        await repeat(announce, _HEARTBEAT_SECONDS, _log, "worker heartbeat", psycopg.Error)


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error.__cause__ or error}".strip()
