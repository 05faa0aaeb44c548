"""One reconciliation, from the events that were missed to the last list."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

import stripe

from gateway.dates import parse_time, to_column, unix_to_column
from gateway.errors import GatewayError, InvalidRequest, StripeRefused
from gateway.events.stored_events import Selection, list_events
from gateway.pocketbase import PocketBase
from gateway.reconcile.absent_rows import AbsentRows
from gateway.reconcile.catch_up import CatchUp
from gateway.reconcile.checkpoints import deferred_checkpoints
from gateway.reconcile.comparison import Difference
from gateway.reconcile.listed_objects import ListedObject, list_collections, list_kinds
from gateway.reconcile.lists import Cursor, ListPage, read_pages
from gateway.reconcile.mirrored_rows import count_rows
from gateway.reconcile.process import name_process
from gateway.reconcile.rate_limit import RateLimit, RateLimitedStripe, with_retries
from gateway.reconcile.repair import Outcome, Repairer
from gateway.reconcile.run import (
    Options,
    ReconciliationDeleted,
    ReconciliationUnderWay,
    Run,
    Runs,
)
from gateway.reconcile.run_saver import RunSaver
from gateway.reconcile.write_pace import WritePace
from gateway.stripe_api import Missing
from gateway.stripe_api.own_account import OwnAccount
from gateway.webhooks.event_writer import EventWriter

#: The name of the first step, and of its numbers in the report.
EVENTS = "events"
#: Seconds by which a run reaches back before the last one: Stripe's list may lag.
_OVERLAP_SECONDS = 3600
#: Lists that are read at the same time: each waits for Stripe most of its time.
_LISTS_AT_ONCE = 6


@dataclass(frozen=True, slots=True)
class Watcher:
    """Callbacks for the progress of a run."""

    on_begin: Callable[[Run], None] = lambda run: None
    on_difference: Callable[[Difference], None] = lambda difference: None
    #: After every page, with the collection.
    on_page: Callable[[Run, str], None] = lambda run, collection: None


class Reconciliation:
    """Compares the mirror with Stripe and repairs it."""

    def __init__(
        self,
        pocketbase: PocketBase,
        client: stripe.StripeClient,
        own_account: OwnAccount,
        event_writer: EventWriter,
        *,
        options: Options,
        pace: RateLimit,
        watcher: Watcher,
        patience: float = 0.0,
    ) -> None:
        """Prepare a run.

        Args:
            patience: see `Runs.wait_for_others`.
        """
        self._pocketbase = pocketbase
        reader = RateLimitedStripe(client, pace)
        write_pace = WritePace()
        self._options = options
        self._runs = Runs(pocketbase)
        self._catch_up = CatchUp(
            pocketbase, reader, own_account, event_writer, options.dry_run, write_pace
        )
        self._stripe = reader
        self._repairer = Repairer(pocketbase, reader, options.dry_run, write_pace)
        self._absent = AbsentRows(pocketbase, reader, self._repairer)
        self._watcher = watcher
        self._patience = patience
        self._saver = RunSaver(self._runs)
        self._lists = asyncio.Semaphore(_LISTS_AT_ONCE)

    async def run(self) -> Run:
        """Begin, or continue the last unfinished run with the same options.

        Raises:
            InvalidRequest: an option makes no sense.
            ReconciliationUnderWay: another run is.
            ReconciliationDeleted: the run's row is gone.
            StripeUnavailable, StripeRefused, PocketBaseUnavailable: the run can be continued.
        """
        await self._runs.wait_for_others(self._patience)
        run = await self.find_or_begin()
        await self._claim(run)
        self._watcher.on_begin(run)
        try:
            async with self._checkpoints(), self._saver.heartbeat(run):
                await self._take_steps(run)
        except ExceptionGroup as errors:
            error = _first(errors)
            if isinstance(error, GatewayError) and not isinstance(error, ReconciliationDeleted):
                await self._runs.save(run, error=error.detail)
            raise error from None
        await self._saver.save(run, finish=True)
        return run

    async def find_or_begin(self) -> Run:
        """Return the last unfinished run with these options, otherwise a new one.

        Raises:
            InvalidRequest: an option is not valid.
        """
        return await self._runs.find_unfinished(self._options) or await self._begin()

    async def _claim(self, run: Run) -> None:
        """Mark a run as this process's, and make sure that no other process does the same."""
        run.process = name_process()
        await self._runs.save(run, error="")
        try:
            await self._runs.require_claim(run)
        except ReconciliationUnderWay as other:
            if not run.was_continued:
                await self._runs.save(run, error=other.detail)
            raise

    async def _begin(self) -> Run:
        options, now = self._options, datetime.now(UTC)
        known = list_collections()
        unknown = [name for name in options.only if name not in known]
        if unknown:
            raise InvalidRequest(
                f"{', '.join(unknown)}: not mirrored; there are {', '.join(known)}."
            )
        run = Run("", options, to_column(now))
        if options.since:
            run.since = run.events_since = int(parse_time(options.since, now).timestamp())
        elif (caught_up := await self._runs.find_caught_up()) is not None:
            run.events_since = caught_up - _OVERLAP_SECONDS
        collections = dict.fromkeys(kind.collection for kind in _choose(options))
        run.known = {name: await count_rows(self._pocketbase, name) for name in collections}
        return await self._runs.begin(run)

    def _checkpoints(self) -> AbstractAsyncContextManager[None]:
        return nullcontext() if self._options.dry_run else deferred_checkpoints(self._pocketbase)

    async def _take_steps(self, run: Run) -> None:
        if self._options.events and EVENTS not in run.done:
            await self._read_events(run)
        kinds = [kind for kind in _choose(self._options) if kind.name not in run.done]
        if kinds:
            self._stripe.version = await self._find_version()
        for _, stage in groupby(sorted(kinds, key=_stage_of), key=_stage_of):
            async with asyncio.TaskGroup() as group:
                for kind in stage:
                    group.create_task(self._read_list(run, kind))

    async def _find_version(self) -> str:
        """Return the webhooks' API version: the content of some columns depends on it."""
        newest = await with_retries(lambda: list_events(self._pocketbase, Selection(), 20))
        versions = (event["api_version"] for event in newest if not event["account"])
        return next((version for version in versions if version not in ("", "v2")), "")

    async def _read_events(self, run: Run) -> None:
        run.current.append(EVENTS)
        try:
            await self._read_event_pages(run)
        except (StripeRefused, Missing):
            if EVENTS not in run.cursors:
                raise
            # Stripe no longer has the event at the cursor: start the list again.
            del run.cursors[EVENTS]
            await self._read_event_pages(run)
        await self._end(run, EVENTS)
        self._watcher.on_page(run, EVENTS)
        if not self._options.dry_run and not self._options.since:
            await self._runs.save(run, caught_up=unix_to_column(run.events_until))

    async def _read_event_pages(self, run: Run) -> None:
        cursor = run.cursors.get(EVENTS, Cursor())
        pages = self._catch_up.handle_pages(cursor.after, run.events_since)
        async with aclosing(pages):
            async for page in pages:
                run.events_until = run.events_until or page.as_of
                run.report.count(EVENTS, listed=page.listed, **page.missed)
                run.cursors[EVENTS] = Cursor(page.after, page.oldest)
                await self._note_page(run, EVENTS)

    async def _read_list(self, run: Run, kind: ListedObject) -> None:
        async with self._lists:
            run.current.append(kind.name)
            await self._compare_list(run, kind)
            await self._end(run, kind.name)
            self._watcher.on_page(run, kind.collection)

    async def _compare_list(self, run: Run, kind: ListedObject) -> None:
        """Compare every page of a list; one that Stripe refuses is noted and passed over."""
        cursor = run.cursors.get(kind.name, Cursor())
        try:
            async with aclosing(read_pages(self._stripe, kind, cursor, run.since)) as pages:
                async for page in pages:
                    await self._repair_page(run, kind, page)
                    if page.next:
                        run.cursors[kind.name] = page.next
                        await self._note_page(run, kind.collection)
        except (StripeRefused, Missing) as error:
            if run.cursors.pop(kind.name, Cursor()).after:
                # The object at the cursor is gone: start the list again.
                await self._compare_list(run, kind)
            elif kind.may_be_refused:
                run.report.skipped[kind.name] = error.detail
            else:
                run.report.refused[kind.collection] = error.detail

    async def _repair_page(self, run: Run, kind: ListedObject, page: ListPage) -> None:
        outcome = await self._repairer.repair(kind.collection, page.found)
        if page.rows:
            listed = {each.stripe_id for each in page.found} | set(page.expected)
            stored = len(set(page.expected) - outcome.without_row)
            outcome.add(await self._absent.repair(kind, page.rows, listed, stored))
        self._report(run, kind, len(page.found), outcome)

    def _report(self, run: Run, kind: ListedObject, listed: int, outcome: Outcome) -> None:
        run.report.count(kind.collection, listed=listed)
        run.report.add(kind.collection, outcome)
        for difference in outcome.differences:
            self._watcher.on_difference(difference)

    async def _end(self, run: Run, name: str) -> None:
        run.current.remove(name)
        run.cursors.pop(name, None)
        run.done.add(name)
        await self._saver.save(run)

    async def _note_page(self, run: Run, collection: str) -> None:
        await self._saver.save_page(run)
        self._watcher.on_page(run, collection)


def name_lists(options: Options) -> frozenset[str]:
    """Return the names of the lists of objects that a run reads."""
    return frozenset(kind.name for kind in _choose(options))


def _first(error: Exception) -> Exception:
    """Return the first error of nested groups."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _stage_of(kind: ListedObject) -> int:
    return kind.stage


def _choose(options: Options) -> Iterator[ListedObject]:
    for kind in list_kinds() if options.objects else ():
        if not options.only or kind.collection in options.only:
            yield kind
