"""One attempt at an item: runs its handler within the time limit, and returns the result."""

import asyncio
import logging
from dataclasses import dataclass
from random import random
from time import perf_counter
from typing import Any, Literal

from gateway.errors import GatewayError
from gateway.json_codec import dump
from gateway.metrics import count_work
from gateway.pocketbase.contracts.work import Settle, WriteRequest
from gateway.postgres.once import AlreadyDone
from gateway.work.backoff import backoff_seconds
from gateway.work.handler import WorkContext, WorkHandler
from gateway.work.item import WorkItem
from gateway.work.outcome import Cancel, Done, GiveUp, Outcome, Park, Retry

_log = logging.getLogger(__name__)

_MAX_ERROR_CHARACTERS = 2000
#: Why the runner ends an attempt: the item's cancellation, a lost lease, or the process's end.
EndReason = Literal["cancelled", "lost", "closing"]


@dataclass(frozen=True, slots=True)
class Result:
    """A result to store, with its item."""

    item: WorkItem
    settle: Settle


@dataclass(slots=True)
class Attempt:
    """An item that this process works on."""

    item: WorkItem
    handler: WorkHandler
    #: The loop's time of the last renewal.
    renewed: float
    task: "asyncio.Task[Any] | None" = None
    end_reason: EndReason | None = None

    def end(self, reason: EndReason) -> None:
        """End the handler's function where it awaits."""
        self.end_reason = reason
        if self.task:
            self.task.cancel()

    async def run(self, context: WorkContext) -> Result | None:
        """Run the handler; return its result, None if another process has the item."""
        began = perf_counter()
        result = await self._run(context)
        outcome = result.settle.status if result else "lost"
        count_work(self.item.handler, outcome, perf_counter() - began)
        return result

    async def _run(self, context: WorkContext) -> Result | None:
        try:
            async with asyncio.timeout(self.handler.timeout):
                outcome = await self.handler.run(self.item, context) or Done()
        except asyncio.CancelledError:
            return self._settle_ended()
        except TimeoutError:
            outcome = Retry(f"It took longer than {self.handler.timeout:g} seconds.")
            return describe(self.item, self._as_uncertain(outcome))
        except GiveUp as error:
            outcome = Park(str(error) or "The handler gave up.")
        except AlreadyDone as error:
            # Of its own key: an earlier attempt has committed. Of another key, an error as any.
            is_own = error.key == self.item.id
            outcome = Done() if is_own else self._as_uncertain(Retry(_format_error(error)))
        except Exception as error:
            outcome = self._as_uncertain(Retry(_format_error(error)))
            if not isinstance(error, GatewayError):
                _log.exception("work failed", extra=_fields(self.item))
        return describe(self.item, outcome)

    def _as_uncertain(self, outcome: Retry) -> Outcome:
        """Park an item that may run once only: the failed attempt may have done it."""
        return Park(outcome.error) if self.item.at_most_once else outcome

    def _settle_ended(self) -> Result | None:
        if self.end_reason == "cancelled":
            return describe(self.item, Cancel("cancelled"))
        if self.end_reason != "closing":
            return None
        if self.item.at_most_once:
            return describe(self.item, Park("Its process was stopped: it may have been done."))
        given_back = Settle(
            id=self.item.id, claim=self.item.claim, status="waiting", undo_attempt=True
        )
        return Result(self.item, given_back)


def describe(item: WorkItem, outcome: Outcome) -> Result:
    """Return the result to store, and log it."""
    if isinstance(outcome, Retry) and outcome.counts and item.is_last_attempt:
        outcome = Park(outcome.error)
    try:
        settle = _describe(item, outcome)
    except (TypeError, ValueError) as error:
        return describe(item, Park(f"The result can't be stored as JSON: {error}"))
    _report(item, outcome)
    return Result(item, settle)


def _describe(item: WorkItem, outcome: Outcome) -> Settle:
    if isinstance(outcome, Retry):
        delay = outcome.delay
        if delay is None:
            delay = backoff_seconds(item.attempts, random())  # noqa: S311
        undo = not outcome.counts
        return _settle(item, "waiting", error=outcome.error, delay=delay, undo_attempt=undo)
    if isinstance(outcome, Park):
        return _settle(item, "parked", error=outcome.error, result=outcome.result)
    if isinstance(outcome, Cancel):
        return _settle(item, "cancelled", error=outcome.reason)
    return _settle_done(item, outcome)


def _settle_done(item: WorkItem, outcome: Done) -> Settle:
    if outcome.result is None and not outcome.writes:
        return _settle(item, "done")
    dump([outcome.result, [write.data for write in outcome.writes]])
    writes = tuple(
        WriteRequest(method=each.method, collection=each.collection, id=each.id, data=each.data)
        for each in outcome.writes
    )
    return _settle(item, "done", writes=writes, result=outcome.result)


def _settle(
    item: WorkItem,
    status: Literal["waiting", "done", "parked", "cancelled"],
    *,
    error: str = "",
    **members: Any,
) -> Settle:
    return Settle(
        id=item.id,
        claim=item.claim,
        version=item.version,
        status=status,
        error=error[:_MAX_ERROR_CHARACTERS],
        **members,
    )


def _report(item: WorkItem, outcome: Outcome) -> None:
    if isinstance(outcome, Retry):
        _log.warning("work postponed", extra={**_fields(item), "reason": outcome.error})
    elif isinstance(outcome, Park):
        _log.error("work parked", extra={**_fields(item), "reason": outcome.error})
    elif isinstance(outcome, Cancel):
        _log.info("work cancelled", extra={**_fields(item), "reason": outcome.reason})
    elif _log.isEnabledFor(logging.INFO):
        _log.info("work done", extra=_fields(item))


def _fields(item: WorkItem) -> dict[str, object]:
    source = "event" if item.kind == "event" else "source"
    names = {"work": item.id, "handler": item.handler, source: item.source}
    type = _read_type(item)
    return {**names, **({"type": type} if type else {}), "attempts": item.attempts}


def _read_type(item: WorkItem) -> str:
    """Return the type of the event that the item is about, "" for other items."""
    if item.event and item.event.payload:
        return str(item.event.decoded.get("type", ""))
    payload = item.payload if isinstance(item.payload, dict) else {}
    return str(payload.get("type", "")) if item.kind == "record" else ""


def _format_error(error: Exception) -> str:
    if isinstance(error, GatewayError):
        return error.detail
    return f"{type(error).__name__}: {error}"
