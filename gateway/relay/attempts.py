"""Runs one item as a job of procrastinate."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from secrets import token_hex
from typing import Any, NoReturn

import psycopg
from procrastinate import JobContext
from procrastinate.job_context import AbortReason
from procrastinate.jobs import Job

from gateway.pocketbase.contracts.work import ExchangeRequest, Renewal, Settle
from gateway.relay.relay_tables import LEASE_SECONDS
from gateway.relay.worker_tables import Start, WorkerTables
from gateway.retries import retrying
from gateway.work import Park, WorkContext, WorkHandler, WorkItem, WorkQueue
from gateway.work.attempt import Attempt, describe

_log = logging.getLogger(__name__)

#: About 20 seconds in which PostgreSQL may come back before a finished item is run again.
_STORE_ATTEMPTS = 13


# The pool's time-out is an OperationalError too.
_LOST = psycopg.OperationalError


class AnotherClaim(Exception):
    """The item was claimed again while it ran: it is started again with the newer claim."""


@dataclass(frozen=True, slots=True)
class ItemRunner:
    """Runs items with the handlers of this process."""

    handlers: Mapping[str, WorkHandler]
    tables: WorkerTables
    queue: WorkQueue
    #: Jobs that ended here while procrastinate could not store that: PostgreSQL was away.
    unstored: asyncio.Queue[Job] = field(default_factory=asyncio.Queue)

    async def run(self, context: JobContext, id: str) -> None:
        """Run the item of a job and store the result.

        Raises:
            AnotherClaim
        """
        job = context.job.id
        assert job is not None
        # Procrastinate's own task: it ends after the job's status is stored.
        if whole := asyncio.current_task():
            whole.add_done_callback(partial(self._check_stored, context.job))
        start = await self.tables.start(id, job)
        if start is None:
            return
        settle = _settle_crash(start) or await self._attempt(start.item, job, context)
        await self._repeat(partial(self.tables.finish, settle, job))

    async def _repeat(self, store: Callable[[], Awaitable[None]]) -> None:
        async for attempt in retrying(_LOST, first=0.2, longest=2.0, attempts=_STORE_ATTEMPTS):
            with attempt:
                await store()

    def _check_stored(self, job: Job, whole: asyncio.Task[Any]) -> None:
        if not whole.cancelled() and (error := whole.exception()):
            _log.warning("job status not stored", extra={"reason": type(error).__name__})
            self.unstored.put_nowait(job)

    async def release_unstored(self) -> NoReturn:
        """Let jobs run again that PostgreSQL still counts as running, until cancelled.

        Their worker is alive, so procrastinate does not report them as stalled, and they would hold
        their lock for ever. An item with a result is not run again.
        """
        while True:
            job = await self.unstored.get()
            async for attempt in retrying(psycopg.Error, first=0.2, longest=5.0):
                with attempt:
                    await self.tables.release(job)

    async def _attempt(self, item: WorkItem, job: int, context: JobContext) -> Settle:
        loop = asyncio.get_running_loop()
        attempt = Attempt(item, self.handlers[item.handler], loop.time())
        running = attempt.run(WorkContext(save=partial(self._save, attempt, job)))
        task = asyncio.create_task(running)
        attempt.task = task
        try:
            result = await asyncio.shield(task)
        except asyncio.CancelledError:
            stops = context.abort_reason() is not AbortReason.USER_REQUEST
            attempt.end("closing" if stops else "cancelled")
            result = await task
        if result is None:
            raise AnotherClaim
        return result.settle

    async def _save(
        self, attempt: Attempt, job: int, *, progress: Any = None, state: Any = None
    ) -> None:
        """Store progress and state in PocketBase, and renew the lease; the state here as well."""
        item = attempt.item
        renewal = Renewal(id=item.id, claim=item.claim, progress=progress, state=state)
        request = ExchangeRequest(
            token=token_hex(8),
            handlers=(),
            limit=0,
            lease_seconds=LEASE_SECONDS,
            renew=(renewal,),
        )
        renewed = (await self.queue.exchange(request)).renewed
        if not renewed:
            attempt.end("lost")
        elif renewed[0].cancel:
            attempt.end("cancelled")
        elif state is not None:
            # If this worker dies, another one starts the job from here, not from PocketBase.
            await self._repeat(partial(self.tables.save_state, item.id, job, state))
        # A cancelled attempt ends here.
        await asyncio.sleep(0)


def _settle_crash(start: Start) -> Settle | None:
    """Return the result of an item that may not be started again after its worker died."""
    item = start.item
    if item.at_most_once and start.starts > 1:
        return describe(item, Park("Its process ended or hung: it may have been done.")).settle
    if 0 < item.tries < item.attempts:
        return describe(item, Park("Its process ended or hung.")).settle
    return None
