"""Processes events that were never delivered, like deliveries."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from gateway.errors import InvalidEvent
from gateway.events.stored_events import find_handled
from gateway.json_codec import dump_text
from gateway.mirror.event_change import decide
from gateway.pocketbase import PocketBase
from gateway.reconcile.rate_limit import RateLimitedStripe, with_retries
from gateway.rows import Json
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


@dataclass(frozen=True, slots=True)
class CatchUp:
    """Reads Stripe's list of events, which reaches 30 days back."""

    pocketbase: PocketBase
    stripe: RateLimitedStripe
    own_account: OwnAccount
    event_writer: EventWriter
    dry_run: bool

    async def handle_page(self, after: str, since: int | None) -> StripeEventPage:
        """Process the events of a page that are not stored.

        Args:
            after: the id of the event that the page follows, "" for the newest.
            since: leave out what was created before, in unix seconds.

        Raises:
            StripeUnavailable, StripeRefused, PocketBaseUnavailable: the move can be repeated.
        """
        query = {"limit": str(_PAGE_EVENTS)}
        if after:
            query["starting_after"] = after
        if since is not None:
            query["created[gte]"] = str(since)
        snapshot = await self.stripe.read(f"/v1/events?{urlencode(query)}")
        events: list[Json] = snapshot.body["data"]
        ids = [event["id"] for event in events]
        handled = await with_retries(lambda: find_handled(self.pocketbase, ids))
        missed = [event for event in events if event["id"] not in handled]
        outcomes = ["missed"] * len(missed) if self.dry_run else await self._handle(missed)
        has_more = bool(snapshot.body.get("has_more") and ids)
        return StripeEventPage(
            len(ids), Counter(outcomes), ids[-1] if has_more else "", snapshot.as_of
        )

    async def _handle(self, events: Sequence[Json]) -> list[str]:
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
