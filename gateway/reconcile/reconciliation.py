"""One reconciliation, from the events that were missed to the last list."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import stripe

from gateway.dates import parse_time, to_column, unix_to_column
from gateway.errors import GatewayError, InvalidRequest, StripeRefused
from gateway.events.stored_events import Selection, list_events
from gateway.pocketbase import PocketBase
from gateway.reconcile.absent_rows import AbsentRows
from gateway.reconcile.catch_up import CatchUp
from gateway.reconcile.comparison import Difference
from gateway.reconcile.listed_objects import ListedObject, list_collections, list_kinds
from gateway.reconcile.lists import Cursor, read_page
from gateway.reconcile.rate_limit import RateLimit, RateLimitedStripe, with_retries
from gateway.reconcile.repair import Outcome, Repairer
from gateway.reconcile.run import Options, Run, Runs
from gateway.stripe_api import Missing
from gateway.stripe_api.own_account import OwnAccount
from gateway.webhooks.event_writer import EventWriter

#: The name of the first step, and of its numbers in the report.
EVENTS = "events"
#: Seconds by which a run reaches back before the last one: Stripe's list may lag.
_OVERLAP_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Watcher:
    """Callbacks for the progress of a run."""

    on_begin: Callable[[Run], None] = lambda run: None
    on_difference: Callable[[Difference], None] = lambda difference: None
    #: After every page.
    on_page: Callable[[Run], None] = lambda run: None


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
    ) -> None:
        self._pocketbase = pocketbase
        reader = RateLimitedStripe(client, pace)
        self._options = options
        self._runs = Runs(pocketbase)
        self._catch_up = CatchUp(pocketbase, reader, own_account, event_writer, options.dry_run)
        self._stripe = reader
        self._repairer = Repairer(pocketbase, reader, options.dry_run)
        self._absent = AbsentRows(pocketbase, reader, self._repairer)
        self._watcher = watcher

    async def run(self) -> Run:
        """Begin, or continue the last unfinished run with the same options.

        Raises:
            InvalidRequest: an option makes no sense.
            StripeUnavailable, StripeRefused, PocketBaseUnavailable: the run can be continued.
        """
        run = await self.find_or_begin()
        self._watcher.on_begin(run)
        try:
            await self._take_steps(run)
        except GatewayError as error:
            await self._runs.save(run, error=error.detail)
            raise
        await self._runs.finish(run)
        return run

    async def find_or_begin(self) -> Run:
        """Return the last unfinished run with these options, otherwise a new one.

        Raises:
            InvalidRequest: an option makes no sense.
        """
        return await self._runs.find_unfinished(self._options) or await self._begin()

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
        return await self._runs.begin(run)

    async def _take_steps(self, run: Run) -> None:
        kinds = {kind.name: kind for kind in _choose(self._options)}
        steps = [*([EVENTS] if self._options.events else []), *kinds]
        start = steps.index(run.step) if run.step in steps else 0
        for step in steps[start:]:
            if step != run.step:
                run.step, run.cursor = step, Cursor()
            if step == EVENTS:
                await self._read_events(run)
            else:
                self._stripe.version = await self._find_version()
                await self._read_list(run, kinds[step])

    async def _find_version(self) -> str:
        """Return the webhooks' API version: the content of some columns depends on it."""
        newest = await with_retries(lambda: list_events(self._pocketbase, Selection(), 20))
        versions = (event["api_version"] for event in newest if not event["account"])
        return next((version for version in versions if version not in ("", "v2")), "")

    async def _read_events(self, run: Run) -> None:
        while True:
            page = await self._catch_up.handle_page(run.cursor.after, run.events_since)
            run.events_until = run.events_until or page.as_of
            run.report.count(EVENTS, listed=page.listed, **page.missed)
            run.cursor = Cursor(page.after)
            await self._save(run)
            if not page.after:
                break
        if not self._options.dry_run and not self._options.since:
            await self._runs.save(run, caught_up=unix_to_column(run.events_until))

    async def _read_list(self, run: Run, kind: ListedObject) -> None:
        """Compare every page of a list; one that Stripe refuses is noted and passed over."""
        try:
            while cursor := await self._repair_page(run, kind):
                run.cursor = cursor
                await self._save(run)
        except (StripeRefused, Missing) as error:
            if run.cursor.after:  # The object at the cursor is gone: start the list again.
                run.cursor = Cursor()
                await self._read_list(run, kind)
                return
            if kind.may_be_refused:
                run.report.skipped[kind.name] = error.detail
            else:
                run.report.refused[kind.collection] = error.detail
        await self._save(run)

    async def _repair_page(self, run: Run, kind: ListedObject) -> Cursor | None:
        page = await read_page(self._stripe, kind, run.cursor, run.since)
        outcome = await self._repairer.repair(kind.collection, page.found)
        if page.rows:
            listed = {each.stripe_id for each in page.found} | set(page.elsewhere)
            outcome.add(await self._absent.repair(kind, page.rows, listed))
        self._report(run, kind, len(page.found), outcome)
        return page.next

    def _report(self, run: Run, kind: ListedObject, listed: int, outcome: Outcome) -> None:
        run.report.count(kind.collection, listed=listed)
        run.report.add(kind.collection, outcome)
        for difference in outcome.differences:
            self._watcher.on_difference(difference)

    async def _save(self, run: Run) -> None:
        await self._runs.save(run)
        self._watcher.on_page(run)


def _choose(options: Options) -> Iterator[ListedObject]:
    for kind in list_kinds() if options.objects else ():
        if not options.only or kind.collection in options.only:
            yield kind
