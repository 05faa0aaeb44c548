"""Processes events that were never delivered, like deliveries."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from gateway.errors import InvalidEvent
from gateway.events.stored_events import find_handled
from gateway.json_codec import dump_text
from gateway.mirror.event_change import decide
from gateway.pocketbase import PocketBase
from gateway.reconcile.rate_limit import RateLimitedStripe, with_retries
from gateway.reconcile.write_pace import EVENTS, WritePace, take_parts
from gateway.rows import Json
from gateway.stripe_api import Snapshot
from gateway.stripe_api.own_account import OwnAccount
from gateway.webhooks.event_writer import EventWriter

_log = logging.getLogger(__name__)
_PAGE_EVENTS = 100


@dataclass(frozen=True, slots=True)
class StripeEventPage:
    """A page of Stripe's events, newest first."""

    listed: int
    #: How many were not stored yet, by outcome; "missed" in a dry run.
    missed: Counter[str]
    #: The id of the last event if there are more, else "".
    after: str
    #: Events created before are on this page or on a later one.
    as_of: int
    #: Creation time of the last event, 0 without any.
    oldest: int = 0


@dataclass(frozen=True, slots=True)
class CatchUp:
    """Reads Stripe's list of events, which reaches 30 days back."""

    pocketbase: PocketBase
    stripe: RateLimitedStripe
    own_account: OwnAccount
    event_writer: EventWriter
    dry_run: bool
    pace: WritePace = field(default_factory=WritePace)

    async def handle_pages(self, after: str, since: int | None) -> AsyncGenerator[StripeEventPage]:
        """Process the events that are not stored, page by page.

        Each page is read while the events of the one before are written.

        Args:
            after: the id of the event that the first page follows, "" for the newest.
            since: leave out what was created before, in unix seconds.

        Raises:
            StripeUnavailable, StripeRefused, PocketBaseUnavailable: the move can be repeated.
        """
        reading = asyncio.create_task(self._read_page(after, since))
        try:
            while True:
                snapshot = await reading
                after = _find_next(snapshot)
                if after:
                    reading = asyncio.create_task(self._read_page(after, since))
                yield await self._handle_page(snapshot, after)
                if not after:
                    return
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read_page(self, after: str, since: int | None) -> Snapshot:
        query = {"limit": str(_PAGE_EVENTS)}
        if after:
            query["starting_after"] = after
        if since is not None:
            query["created[gte]"] = str(since)
        return await self.stripe.read(f"/v1/events?{urlencode(query)}")

    async def _handle_page(self, snapshot: Snapshot, after: str) -> StripeEventPage:
        events: list[Json] = snapshot.body["data"]
        ids = [event["id"] for event in events]
        handled = await with_retries(lambda: find_handled(self.pocketbase, ids))
        missed = [event for event in events if event["id"] not in handled]
        outcomes = ["missed"] * len(missed) if self.dry_run else await self._handle(missed)
        oldest = int(events[-1]["created"]) if events else 0
        return StripeEventPage(len(ids), Counter(outcomes), after, snapshot.as_of, oldest)

    async def _handle(self, events: Sequence[Json]) -> list[str]:
        parts = take_parts(events, EVENTS)
        outcomes = await asyncio.gather(*(self._handle_part(part) for part in parts))
        return [outcome for part in outcomes for outcome in part]

    async def _handle_part(self, events: Sequence[Json]) -> list[str]:
        """Handle events at the same time: the writer makes one transaction of them."""
        async with self.pace.turn():
            return await with_retries(
                lambda: asyncio.gather(*(self._handle_one(each) for each in events))
            )

    async def _handle_one(self, event: Json) -> str:
        try:
            change = decide(await self.own_account.parse(dump_text(event)))
        except InvalidEvent as error:
            _log.warning(
                "stored event unreadable", extra={"event": event["id"], "reason": error.detail}
            )
            return "unreadable"
        return await self.event_writer.store(change, is_import=True)


def _find_next(snapshot: Snapshot) -> str:
    """The id that the next page of events follows, "" after the last page."""
    events = snapshot.body["data"]
    return str(events[-1]["id"]) if snapshot.body.get("has_more") and events else ""
