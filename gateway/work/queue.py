"""The queue in PocketBase: adds items, and gives an operator's view and commands."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from random import random
from typing import get_args

from gateway.errors import InvalidRequest
from gateway.exact_numbers import check_exact
from gateway.pocketbase import PocketBase, PocketBaseRefused, filter
from gateway.pocketbase.contracts.route import Empty
from gateway.pocketbase.contracts.work import (
    ADD_LOST_WORK,
    CANCEL_WORK,
    ENQUEUE,
    EXCHANGE,
    PAUSE_WORK,
    PRUNE_WORK,
    RETRY_WORK,
    WORK_STATUS,
    CancelWorkRequest,
    EnqueueRequest,
    ExchangeAnswer,
    ExchangeRequest,
    LostWork,
    NewItem,
    PauseWorkRequest,
    PruneWorkRequest,
    RetryWorkRequest,
    Settle,
    Status,
    UnreadableItem,
    WorkStatus,
)
from gateway.pocketbase.hook_call import call_hook
from gateway.rows import Json
from gateway.work.backoff import backoff_seconds

_log = logging.getLogger(__name__)

#: Items of each status that one transaction deletes, and transactions of one call.
_PRUNE_ITEMS, _MAX_PRUNE_PARTS = 500, 200

STATUSES: tuple[str, ...] = get_args(Status)


def _check_payload(item: NewItem) -> None:
    try:
        check_exact(item.payload, f"the members of the payload of {item.handler}")
    except ValueError as error:
        raise InvalidRequest(f"{error}.") from None


def _put_off(item: UnreadableItem) -> Settle:
    _log.error("work item unreadable", extra={"work": item.id, "reason": item.reason})
    is_last = 0 < item.tries <= item.attempts
    return Settle(
        id=item.id,
        claim=item.claim,
        status="parked" if is_last else "waiting",
        delay=0 if is_last else backoff_seconds(int(item.attempts), random()),  # noqa: S311
        error=f"The gateway can't read this item: {item.reason}",
    )


class WorkQueue:
    """The queue of one PocketBase, and the wake-up of this process's runner."""

    def __init__(self, pocketbase: PocketBase) -> None:
        self._pocketbase = pocketbase
        self._is_woken = asyncio.Event()

    def wake(self) -> None:
        """Let this process's runner look for items now: one was added."""
        self._is_woken.set()

    async def wait(self) -> None:
        """Wait until `wake` is called."""
        await self._is_woken.wait()
        self._is_woken.clear()

    async def enqueue(self, items: Iterable[NewItem]) -> int:
        """Add items; return their number without those that the queue has already.

        Raises:
            InvalidRequest: a payload has an integer that PocketBase's hooks would change.
            PocketBaseRefused, PocketBaseUnavailable
        """
        request = EnqueueRequest(items=tuple(items))
        for item in request.items:
            _check_payload(item)
        changed = (await call_hook(self._pocketbase, ENQUEUE, request)).changed
        self.wake()
        return changed

    async def exchange(self, request: ExchangeRequest) -> ExchangeAnswer:
        """Settle, renew and claim items in one call.

        Items that do not fit the contract are put off, and parked after their last try.

        Raises:
            PocketBaseRefused, PocketBaseUnavailable
        """
        answer = await call_hook(self._pocketbase, EXCHANGE, request)
        if answer.unreadable:
            settles = tuple(_put_off(item) for item in answer.unreadable)
            call = request.model_copy(
                update={"handlers": (), "limit": 0, "settle": settles, "renew": (), "again": False}
            )
            await call_hook(self._pocketbase, EXCHANGE, call)
        return answer

    async def retry(self, ids: Sequence[str], handler: str = "") -> int:
        """Make items due again with all their tries; return their number.

        Args:
            ids: waiting, parked or cancelled items; without ids, all parked ones.
            handler: only items of this handler.
        """
        request = RetryWorkRequest(ids=tuple(ids), handler=handler)
        changed = (await call_hook(self._pocketbase, RETRY_WORK, request)).changed
        self.wake()
        return changed

    async def cancel(self, ids: Sequence[str]) -> int:
        """Cancel items that wait, run or are parked; return their number."""
        request = CancelWorkRequest(ids=tuple(ids))
        return (await call_hook(self._pocketbase, CANCEL_WORK, request)).changed

    async def pause(self, handler: str, *, paused: bool = True) -> bool:
        """Pause a handler in all processes, or resume it; return whether that changed anything."""
        request = PauseWorkRequest(handler=handler, paused=paused)
        changed = (await call_hook(self._pocketbase, PAUSE_WORK, request)).changed
        self.wake()
        return changed > 0

    async def status(self) -> WorkStatus:
        """Return the number of open and parked items by handler, and the paused handlers."""
        return await call_hook(self._pocketbase, WORK_STATUS, Empty())

    async def add_lost(self) -> LostWork:
        """Add items that unresolved events and deletions of customers lack; return their numbers.

        Items are lost if a person deletes them, or if a backup has their rows without them.
        """
        added = await call_hook(self._pocketbase, ADD_LOST_WORK, Empty())
        self.wake()
        return added

    async def prune(self, done_before: str, parked_before: str) -> int:
        """Delete items that ended before a time, in parts; return their number.

        Args:
            done_before: a date column, for items that are done or cancelled; "" keeps them.
            parked_before: the same for parked items.
        """
        request = PruneWorkRequest(
            limit=_PRUNE_ITEMS, done_before=done_before, parked_before=parked_before
        )
        pruned = 0
        for _ in range(_MAX_PRUNE_PARTS):
            changed = (await call_hook(self._pocketbase, PRUNE_WORK, request)).changed
            pruned += changed
            if not changed:
                break
        return pruned

    async def list(self, status: str = "", handler: str = "", limit: int = 20) -> list[Json]:
        """Return the newest items as records, optionally of one status or handler.

        Raises:
            InvalidRequest: the status does not exist.
        """
        if status and status not in STATUSES:
            raise InvalidRequest(f"{status!r} is not one of {', '.join(STATUSES)}.")
        wanted = {"status": status, "handler": handler}
        terms = [
            filter(f"{name} = {{:value}}", value=text) for name, text in wanted.items() if text
        ]
        query: dict[str, str | int] = {"perPage": limit, "skipTotal": 1, "sort": "-created,-seq"}
        if terms:
            query["filter"] = " && ".join(terms)
        path = self._pocketbase.records_path("work")
        found: list[Json] = (await self._pocketbase.call("GET", path, query=query))["items"]
        return found

    async def find(self, id: str) -> Json | None:
        """Return one item as a record, None if there is none."""
        path = f"{self._pocketbase.records_path('work')}/{id}"
        try:
            return await self._pocketbase.call("GET", path)
        except PocketBaseRefused as refused:
            if refused.status == 404:
                return None
            raise
