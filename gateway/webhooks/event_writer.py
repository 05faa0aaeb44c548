"""Writes the events that arrived together in one PocketBase transaction (group commit).

A lone event is written at once. Events that arrive during a write form the next batch. It is sent
when it is as large as the batch under way or when that is written, so that PocketBase always has
the next batch and seldom a small one. After `_PATIENCE_SECONDS` a write delays no batch, so that
one that hangs does not hold back deliveries.

Replays and reconciliations use the same class.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

from gateway.errors import GatewayError, StripeRefused
from gateway.metrics import measure_commit
from gateway.mirror.conflicts import ConflictResolver, Undecided
from gateway.mirror.event_change import (
    UNRESOLVED,
    EventChange,
    Key,
    event_row,
    key_of,
    unresolved,
)
from gateway.pocketbase import CommitBatch, PocketBase, PocketBaseRefused, commit
from gateway.rows import WorkEntry
from gateway.stripe_api.event import Event
from gateway.webhooks.batch import compose

_log = logging.getLogger(__name__)

#: Writes under way at once: one is in PocketBase's transaction while the next is on its way.
_MAX_WRITES = 2
#: Limits of one transaction, so that it does not hold PocketBase's single writer long.
_MAX_BATCH_EVENTS = 64
_MAX_BATCH_CHARACTERS = 4_000_000
#: After this time a write no longer delays the next batch. Usually it takes a few 10 ms.
_PATIENCE_SECONDS = 0.1
#: Deliveries that waited this recently come before background work.
_PRIORITY_SECONDS = 0.1


def _promise() -> "asyncio.Future[str]":
    return asyncio.get_running_loop().create_future()


@dataclass(frozen=True, slots=True)
class _Delivery:
    change: EventChange
    outcome: "asyncio.Future[str]" = field(default_factory=_promise)

    def succeed(self, outcome: str) -> None:
        if not self.outcome.done():
            self.outcome.set_result(outcome)

    def fail(self, error: Exception) -> None:
        if not self.outcome.done():
            self.outcome.set_exception(error)


class WorkSource(Protocol):
    """The part of `NotificationRouter` that the writer needs."""

    def entries_for(self, event: Event, *, is_import: bool = False) -> tuple[WorkEntry, ...]:
        """Return the items of the queue to write with the event."""


def _wake_none() -> None:
    """Leave the items to other processes."""


class EventWriter:
    """Writes changes in batches; returns the outcome of each once it is durable."""

    def __init__(
        self,
        pocketbase: PocketBase,
        conflict_resolver: ConflictResolver,
        router: WorkSource | None = None,
        *,
        wake: Callable[[], None] = _wake_none,
        patience: float = _PATIENCE_SECONDS,
    ) -> None:
        """Open the writer.

        Args:
            router: adds mails and calls of handlers to events.
            wake: called when such items are stored.
            patience: seconds after which a write delays no further batch.
        """
        self._router = router
        self._wake = wake
        self._pocketbase = pocketbase
        self._conflict_resolver = conflict_resolver
        self._waiting: deque[_Delivery] = deque()
        self._writers = 0
        self._patience = patience
        #: For each write that holds others back, the number of its deliveries.
        self._under_way: dict[object, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        #: The loop's time when a delivery last had to wait for the write of others.
        self._waited = float("-inf")

    def has_waited(self) -> bool:
        """Return whether a delivery waited for the write of others in the last tenth of a second.

        Then deliveries arrive faster than PocketBase writes them.
        """
        return asyncio.get_running_loop().time() - self._waited < _PRIORITY_SECONDS

    async def store(self, change: EventChange, *, is_import: bool = False) -> str:
        """Write an event and its change.

        Args:
            is_import: whether reconcile found the event, so that handlers are not called for an
                old one.

        Returns:
            The outcome: applied, superseded, duplicate, ignored, connect or failed; unresolved if
            only a read from Stripe can decide, and the resolver may not read.

        Raises:
            PocketBaseUnavailable, StripeUnavailable: the event may or may not be written.
        """
        work = change.work
        if not work and self._router:
            work = self._router.entries_for(change.event, is_import=is_import)
        delivery = _Delivery(replace(change, work=work) if work else change)
        self._waiting.append(delivery)
        self._begin_if_due()
        if self._under_way:
            self._waited = asyncio.get_running_loop().time()
        outcome = await delivery.outcome
        if work or outcome == UNRESOLVED:
            self._wake()
        return outcome

    async def close(self) -> None:
        """Wait for the writes under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _begin_if_due(self) -> None:
        if self._writers < _MAX_WRITES and self._is_due():
            self._writers += 1
            self._start(self._write_waiting())

    def _is_due(self) -> bool:
        """Whether as many wait as are being written."""
        return bool(self._waiting) and len(self._waiting) >= sum(self._under_way.values())

    async def _write_waiting(self) -> None:
        try:
            # The batch is empty if all clients that waited have disconnected.
            while self._is_due() and (batch := self._take_batch()):
                with self._holding_back(len(batch)):
                    await self._write(batch)
        finally:
            self._writers -= 1

    @contextmanager
    def _holding_back(self, number: int) -> Iterator[None]:
        """Let fewer than these deliveries wait for their write, unless it takes long."""
        write = object()
        self._under_way[write] = number
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._patience, self._let_pass, write)
        try:
            yield
        finally:
            timer.cancel()
            self._under_way.pop(write, None)

    def _let_pass(self, write: object) -> None:
        del self._under_way[write]
        self._begin_if_due()

    def _take_batch(self) -> list[_Delivery]:
        batch: list[_Delivery] = []
        size = 0
        while self._waiting and len(batch) < _MAX_BATCH_EVENTS and size < _MAX_BATCH_CHARACTERS:
            delivery = self._waiting.popleft()
            if not delivery.outcome.done():  # Otherwise the client has disconnected.
                size += len(delivery.change.event.payload)
                batch.append(delivery)
        return batch

    async def _write(self, batch: Sequence[_Delivery]) -> None:
        """Write a batch; one event that can't be written does not take the others down."""
        try:
            composed = compose([delivery.change for delivery in batch])
            with measure_commit(len(composed.batch.events)):
                result = await commit(self._pocketbase, composed.batch)
        except GatewayError as error:  # It fails every delivery of the batch.
            for delivery in batch:
                delivery.fail(error)
            return
        except Exception as error:
            if len(batch) == 1:
                await self._keep_failed(batch[0], error)
                return
            for delivery in batch:
                await self._write([delivery])
            return
        undecided: dict[Key, list[_Delivery]] = {}
        answered: set[int] = set()
        for delivery, place in zip(batch, composed.places, strict=True):
            if place is None or result.outcomes[place] == "conflict":
                undecided.setdefault(key_of(delivery.change), []).append(delivery)
                continue
            delivery.succeed("duplicate" if place in answered else result.outcomes[place])
            answered.add(place)
        for deliveries in undecided.values():
            self._start(self._resolve(deliveries))

    async def _resolve(self, deliveries: Sequence[_Delivery]) -> None:
        try:
            outcomes = await self._conflict_resolver.resolve([each.change for each in deliveries])
        except Undecided:
            for delivery in deliveries:
                await self._store_unresolved(delivery)
        except StripeRefused as refused:
            for delivery in deliveries:
                await self._keep_failed(delivery, refused)
        except GatewayError as error:
            for delivery in deliveries:
                delivery.fail(error)
        except Exception as error:
            for delivery in deliveries:
                await self._keep_failed(delivery, error)
        else:
            for delivery, outcome in zip(deliveries, outcomes, strict=True):
                delivery.succeed(outcome)

    async def _store_unresolved(self, delivery: _Delivery) -> None:
        """Store the event and the work that writes its row later (`events/resolution.py`)."""
        change = unresolved(delivery.change.event)
        try:
            result = await commit(self._pocketbase, CommitBatch([event_row(change)]))
        except Exception as error:
            delivery.fail(error)
            return
        delivery.succeed(result.outcomes[0])

    async def _keep_failed(self, delivery: _Delivery, reason: Exception) -> None:
        """Store the event with the reason why its row can't be, for the dashboard and replay."""
        text = _log_failure(delivery.change.event, reason)
        change = replace(delivery.change, state=None, claims=(), outcome="failed", error=text)
        try:
            await commit(self._pocketbase, CommitBatch([event_row(change)]))
        except Exception as error:
            delivery.fail(error)
        else:
            delivery.succeed("failed")


def _log_failure(event: Event, reason: Exception) -> str:
    """Log the reason, with a traceback if it is a mistake of ours, and return it."""
    keys = {"event": event.stripe_id, "type": event.type}
    if isinstance(reason, PocketBaseRefused | GatewayError):
        _log.error("event processing failed", extra={**keys, "reason": str(reason)})
        return str(reason)
    _log.error("event processing failed", exc_info=reason, extra=keys)
    return f"{type(reason).__name__}: {reason}"[:2000]
