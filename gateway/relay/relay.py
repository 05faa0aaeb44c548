"""Moves due items from PocketBase to PostgreSQL, and their results back; one process at a time."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

import psycopg
from procrastinate.exceptions import ProcrastinateException

from gateway.background import log_postponed
from gateway.errors import GatewayError
from gateway.pocketbase import PocketBaseRefused
from gateway.pocketbase.contracts.work import (
    ClaimedItem,
    ExchangeAnswer,
    ExchangeRequest,
    HandlerLimit,
    Settle,
)
from gateway.relay.database import connect
from gateway.relay.relay_tables import LEASE_SECONDS, RelayTables, Turn
from gateway.relay.worker_tables import CHANNEL
from gateway.work import Park, Retry, WorkQueue
from gateway.work.attempt import describe

_log = logging.getLogger(__name__)

_MAX_BATCH = 64
_POLL_SECONDS = 2.0
#: Time in which further results join a turn.
_GATHER_SECONDS = 0.01
_UPKEEP_SECONDS = 5.0


class Relay:
    """Moves items and results while this process leads; otherwise waits until it can."""

    def __init__(self, url: str, tables: RelayTables, queue: WorkQueue) -> None:
        self._url = url
        self._tables = tables
        self._queue = queue
        self._looks = asyncio.Event()
        #: Whether PocketBase refused a call: the results are sent one by one.
        self._is_careful = False
        self._is_closing = False
        self._kept_at = 0.0

    async def run(self) -> NoReturn:
        """Relay until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hear_database())
            group.create_task(self._hear_process())
            while True:
                if not await self._try_turn():
                    await self._wait()
        raise AssertionError

    async def close(self) -> None:
        """Send the last results, and let another process lead at once."""
        self._is_closing = True
        await self._try_turn()
        with suppress(psycopg.Error):
            await self._tables.resign()

    async def _try_turn(self) -> bool:
        """Return whether the next turn should follow at once."""
        try:
            return await self._turn()
        except GatewayError as error:
            log_postponed(_log, "relay", error)
        except (psycopg.Error, ProcrastinateException) as error:
            _log.warning("relay postponed", extra={"reason": type(error).__name__})
        except Exception:  # The next turn must follow any error.
            _log.exception("relay failed")
        return False

    async def _turn(self) -> bool:
        turn = await self._tables.begin(*([1] if self._is_careful else []))
        if turn is None:
            return False
        await self._keep_up()
        request = _build_request(turn, claims=not self._is_closing)
        try:
            answer = await self._queue.exchange(request)
        except PocketBaseRefused as refused:
            return await self._isolate(turn, refused)
        self._is_careful = self._is_careful and bool(turn.results)
        await self._apply(turn, request, answer)
        return len(answer.items) >= request.limit > 0

    async def _isolate(self, turn: Turn, refused: PocketBaseRefused) -> bool:
        """Send the results of a refused call one by one; park an item whose result is refused."""
        _log.error("work result refused", extra={"reason": str(refused)})
        self._is_careful = True
        if len(turn.results) == 1 and turn.results[0].settle.status != "parked":
            item = turn.results[0].item
            error = f"PocketBase refused the result: {refused}"
            await self._tables.replace(describe(item, Park(error)).settle)
        return len(turn.results) > 1

    async def _apply(self, turn: Turn, request: ExchangeRequest, answer: ExchangeAnswer) -> None:
        failed = {each.id: each.error for each in answer.failed}
        # Claimed again before its result was stored: the row keeps the result for the newer claim.
        claimed = {item.id for item in answer.items} - set(answer.settled)
        for stored in turn.results:
            if (error := failed.get(stored.item.id)) is not None:
                await self._tables.replace(describe(stored.item, Retry(error)).settle)
        gone = [each for each in request.settle if each.id not in failed.keys() | claimed]
        await self._tables.delete(gone)
        await self._read_renewals(request, answer, claimed)
        if answer.items:
            await self._insert(turn.token, answer.items)

    async def _read_renewals(
        self, request: ExchangeRequest, answer: ExchangeAnswer, claimed: set[str]
    ) -> None:
        held = {each.id for each in answer.renewed}
        lost = [each for each in request.renew if each.id not in held | claimed]
        await self._tables.delete(lost)
        claims = {each.id: each.claim for each in request.renew}
        for id in (each.id for each in answer.renewed if each.cancel):
            await self._tables.answer(Settle(id=id, claim=claims[id], status="cancelled"))
        if held:
            await self._tables.mark_renewed(sorted(held))

    async def _insert(self, token: str, items: Sequence[ClaimedItem]) -> None:
        surplus = await self._tables.insert(token, items)
        if surplus:
            # Another process leads since, and has not stored these.
            await self.give_back(token, surplus)

    async def give_back(self, token: str, items: Sequence[ClaimedItem]) -> None:
        """Make claimed items due again, without counting the attempt."""
        given_back = tuple(
            Settle(id=item.id, claim=item.claim, status="waiting", undo_attempt=True)
            for item in items
        )
        await self._queue.exchange(_settle_only(token, given_back))

    async def _keep_up(self) -> None:
        """Take care of jobs that ended or stalled without a result."""
        now = asyncio.get_running_loop().time()
        if now - self._kept_at < _UPKEEP_SECONDS:
            return
        self._kept_at = now
        await self._tables.retry_stalled()
        for item, starts in await self._tables.find_abandoned():
            error = "Its job ended without a result."
            is_uncertain = item.at_most_once and starts
            outcome = Park(error) if is_uncertain else Retry(error)
            await self._tables.answer(describe(item, outcome).settle)

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_POLL_SECONDS):
                await self._looks.wait()
                await asyncio.sleep(_GATHER_SECONDS)
        self._looks.clear()

    async def _hear_database(self) -> NoReturn:
        """Look when a worker has a result, or another process has committed work."""
        while True:
            with suppress(psycopg.Error):
                async with connect(self._url, autocommit=True) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}".encode())
                    async for _ in connection.notifies():
                        self._looks.set()
            await asyncio.sleep(_POLL_SECONDS)

    async def _hear_process(self) -> NoReturn:
        """Let the leading process look when this process has committed work."""
        while True:
            await self._queue.wait()
            self._looks.set()
            with suppress(psycopg.Error):
                await self._tables.announce_work()


def _build_request(turn: Turn, *, claims: bool) -> ExchangeRequest:
    limits = tuple(
        HandlerLimit(name=name, limit=min(_MAX_BATCH, number))
        for name, number in turn.free.items()
        if claims and number > 0
    )
    return ExchangeRequest(
        token=turn.token,
        handlers=limits,
        limit=min(_MAX_BATCH, sum(each.limit for each in limits)),
        lease_seconds=LEASE_SECONDS,
        settle=tuple(each.settle for each in turn.results),
        renew=turn.renewals,
        # A process that used this token before may have died before it stored the items.
        again=True,
    )


def _settle_only(token: str, settles: tuple[Settle, ...]) -> ExchangeRequest:
    return ExchangeRequest(
        token=token, handlers=(), limit=0, lease_seconds=LEASE_SECONDS, settle=settles
    )
