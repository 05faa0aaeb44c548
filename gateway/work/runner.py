"""Works the queue while the process runs: claims items, runs their handlers, settles the results.

One call settles the last batch and claims the next. Items are leased for a minute, and renewed
every 20 seconds; a process that dies loses its leases, and another one takes the items over.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from secrets import token_hex
from typing import Any

from gateway.background import log_postponed
from gateway.errors import GatewayError
from gateway.pocketbase import PocketBaseRefused
from gateway.pocketbase.contracts.work import (
    ExchangeAnswer,
    ExchangeRequest,
    HandlerLimit,
    Renewal,
)
from gateway.work.attempt import Attempt, Result, describe
from gateway.work.handler import WorkContext, WorkHandler, index_work_handlers
from gateway.work.item import WorkItem
from gateway.work.outcome import Park, Retry
from gateway.work.pace import PACE_SECONDS, choose_pace, choose_pause
from gateway.work.queue import WorkQueue

_log = logging.getLogger(__name__)

#: Items of one claim.
_MAX_BATCH = 32
_LEASE_SECONDS = 60
_RENEW_SECONDS = 20.0
#: The same for jobs: a renewal brings the cancellation that their user waits for.
_RENEW_JOB_SECONDS = 3.0
_POLL_SECONDS = 2.0
#: Time in which further results join a settle.
_GATHER_SECONDS = 0.02
#: Time that running items get when the process stops.
_DRAIN_SECONDS = 10.0
#: Calls that store the last results when the process stops.
_MAX_LAST_CALLS = 3


@dataclass(frozen=True, slots=True)
class _Call:
    """A call of the exchange route, and the results that it stores."""

    request: ExchangeRequest
    results: tuple[Result, ...] = ()

    @property
    def has_reason(self) -> bool:
        return bool(self.request.limit or self.request.settle or self.request.renew)


class WorkRunner:
    """Runs the items of some handlers, in the background of one process."""

    def __init__(
        self,
        queue: WorkQueue,
        handlers: Iterable[WorkHandler],
        *,
        lease_seconds: int = _LEASE_SECONDS,
        has_priority: Callable[[], bool] = lambda: False,
    ) -> None:
        """Run nothing yet.

        Args:
            queue: where items are claimed.
            handlers: the handlers of this process.
            lease_seconds: the duration of a claim without a renewal.
            has_priority: returns whether other writes of this process come before the items.
        """
        self._queue = queue
        self._has_priority = has_priority
        self._handlers = index_work_handlers(handlers)
        self._lease_seconds = lease_seconds
        self._renew_seconds = min(_RENEW_SECONDS, lease_seconds / 3)
        self._running: dict[str, Attempt] = {}
        self._results: list[Result] = []
        #: A call whose answer was lost: it is repeated under its token.
        self._unanswered: _Call | None = None
        #: Whether PocketBase refused a call: the results are sent one by one.
        self._is_careful = False
        self._is_closing = False
        self._pace = PACE_SECONDS

    def wake(self) -> None:
        """Look for items now."""
        self._queue.wake()

    def end(self, id: str) -> None:
        """End the attempt at a cancelled item now, if this process makes it."""
        if attempt := self._running.get(id):
            attempt.end("cancelled")

    async def run(self) -> None:
        """Work until `close` is called; return after the last results are stored."""
        loop = asyncio.get_running_loop()
        while not self._is_closing and self._handlers:
            began = loop.time()
            if await self._exchange():
                # Handlers that do not wait end here, so that the next call stores their results.
                seconds = loop.time() - began
                await asyncio.sleep(choose_pause(seconds) if self._has_priority() else 0.0)
                continue
            await self._wait(min(_POLL_SECONDS, self._renew_seconds))
            await asyncio.sleep(began + self._pace - loop.time())
        await self._drain()

    async def close(self, running: "asyncio.Task[None]") -> None:
        """End `run`: claim nothing more, let items end, and give the others back."""
        self._is_closing = True
        self.wake()
        await asyncio.wait({running}, timeout=_DRAIN_SECONDS * 2)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._queue.wait()
        except TimeoutError:
            pass

    async def _drain(self) -> None:
        """Wait for running items, then end them and give them back."""
        tasks = [each.task for each in self._running.values() if each.task]
        if tasks:
            _, left = await asyncio.wait(tasks, timeout=_DRAIN_SECONDS)
            for attempt in self._running.values():
                attempt.end("closing")
            await asyncio.gather(*left, return_exceptions=True)
        for _ in range(_MAX_LAST_CALLS):
            await self._exchange()

    async def _exchange(self) -> bool:
        """Make one call if there is a reason; return whether the next should follow at once."""
        call = self._unanswered or self._build_call()
        if not call.has_reason:
            return False
        try:
            answer = await self._queue.exchange(call.request)
        except PocketBaseRefused as refused:
            self._isolate(call, refused)
            return bool(self._results)
        except GatewayError as error:
            again = call.request.model_copy(update={"again": True})
            self._unanswered = replace(call, request=again)
            log_postponed(_log, "work", error)
            return False
        except Exception:  # The next call must follow any error.
            self._unanswered = None
            _log.exception("work failed")
            return False
        self._unanswered = None
        self._is_careful = self._is_careful and bool(self._results)
        self._apply(call, answer)
        if call.request.limit:
            self._pace = choose_pace(call.request, answer)
        return len(answer.items) >= call.request.limit > 0

    def _build_call(self) -> _Call:
        now = asyncio.get_running_loop().time()
        number = 1 if self._is_careful else _MAX_BATCH * 4
        results, self._results = self._results[:number], self._results[number:]
        due = [each for each in self._running.values() if self._must_renew(each, now)]
        limits = () if self._is_closing or self._is_careful else self._limits()
        request = ExchangeRequest(
            token=token_hex(8),
            handlers=limits,
            limit=min(_MAX_BATCH, sum(each.limit for each in limits)),
            lease_seconds=self._lease_seconds,
            settle=tuple(result.settle for result in results),
            renew=tuple(Renewal(id=each.item.id, claim=each.item.claim) for each in due),
        )
        return _Call(request, tuple(results))

    def _must_renew(self, attempt: Attempt, now: float) -> bool:
        seconds = self._renew_seconds
        if attempt.item.kind == "job":
            seconds = min(seconds, _RENEW_JOB_SECONDS)
        return now - attempt.renewed >= seconds and not attempt.end_reason

    def _limits(self) -> tuple[HandlerLimit, ...]:
        """Return the handlers that can take further items."""
        running = Counter(attempt.handler.name for attempt in self._running.values())
        limits = (
            HandlerLimit(name=name, limit=min(_MAX_BATCH, handler.concurrency - running[name]))
            for name, handler in self._handlers.items()
        )
        return tuple(each for each in limits if each.limit > 0)

    def _isolate(self, call: _Call, refused: PocketBaseRefused) -> None:
        """Send the results of a refused call one by one; park an item whose result is refused."""
        _log.error("work result refused", extra={"reason": str(refused)})
        self._unanswered = None
        self._is_careful = True
        if len(call.results) != 1:
            self._results = [*call.results, *self._results]
        elif call.results[0].settle.status != "parked":
            error = f"PocketBase refused the result: {refused}"
            self._results.append(describe(call.results[0].item, Park(error)))

    def _apply(self, call: _Call, answer: ExchangeAnswer) -> None:
        failed = {each.id: each.error for each in answer.failed}
        settled = set(answer.settled)
        for result in call.results:
            id = result.item.id
            if id in failed:
                self._results.append(describe(result.item, Retry(failed[id])))
            elif id not in settled and not call.request.again:
                _log.warning(
                    "work result not stored: another process has the item", extra={"work": id}
                )
        self._read_renewals(call.request, answer)
        for claimed in answer.items:
            self._start(claimed)

    def _read_renewals(self, request: ExchangeRequest, answer: ExchangeAnswer) -> None:
        held = {each.id: each.cancel for each in answer.renewed}
        now = asyncio.get_running_loop().time()
        for renewal in request.renew:
            attempt = self._running.get(renewal.id)
            if attempt is None or attempt.item.claim != renewal.claim:
                continue
            attempt.renewed = now
            if renewal.id not in held:
                attempt.end("lost")
            elif held[renewal.id]:
                attempt.end("cancelled")

    def _start(self, item: WorkItem) -> None:
        attempt = Attempt(item, self._handlers[item.handler], asyncio.get_running_loop().time())
        self._running[item.id] = attempt
        attempt.task = asyncio.create_task(self._run(attempt))

    async def _run(self, attempt: Attempt) -> None:
        result = await attempt.run(WorkContext(save=partial(self._save, attempt)))
        if self._running.get(attempt.item.id) is attempt:
            del self._running[attempt.item.id]
        if result:
            self._results.append(result)
        # Others that end at about the same time share the call.
        if not self._running or len(self._results) >= _MAX_BATCH:
            self.wake()
        else:
            asyncio.get_running_loop().call_later(_GATHER_SECONDS, self.wake)

    async def _save(self, attempt: Attempt, *, progress: Any = None, state: Any = None) -> None:
        """Store progress and state, and renew the lease."""
        item = attempt.item
        renewal = Renewal(id=item.id, claim=item.claim, progress=progress, state=state)
        request = ExchangeRequest(
            token=token_hex(8),
            handlers=(),
            limit=0,
            lease_seconds=self._lease_seconds,
            renew=(renewal,),
        )
        self._read_renewals(request, await self._queue.exchange(request))
        # A cancelled attempt ends here.
        await asyncio.sleep(0)


@asynccontextmanager
async def run_work(runner: WorkRunner) -> AsyncIterator[None]:
    """Work the queue while the block runs; then store the results, and give back the rest."""
    running = asyncio.create_task(runner.run())
    try:
        yield
    finally:
        await runner.close(running)
