"""Processes stored events again, like deliveries: decide, then write in one transaction.

A row in an event's state is written again, so that a projection of a newer release takes effect; a
row in a newer state stays.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import stripe

from gateway.dates import from_column
from gateway.errors import GatewayError
from gateway.events.stored_events import Selection, read_events, walk_events
from gateway.json_codec import dump_text
from gateway.mirror.event_change import decide
from gateway.pocketbase import PocketBase, PocketBaseRefused
from gateway.rows import Json
from gateway.stripe_api import Missing, read_object
from gateway.stripe_api.own_account import OwnAccount
from gateway.webhooks.event_writer import EventWriter

#: Stripe's API returns events of this age at most.
_KEPT_BY_STRIPE = timedelta(days=30)
_PAGE_EVENTS = 50


@dataclass(frozen=True, slots=True)
class Replayed:
    """The result for one event."""

    stripe_id: str
    type: str
    #: That of a delivery; or pruned, unknown, error, or ready in a dry run.
    outcome: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Replayer:
    """Replays events through an `EventWriter`."""

    pocketbase: PocketBase
    client: stripe.StripeClient
    own_account: OwnAccount
    event_writer: EventWriter

    async def replay_ids(
        self, stripe_ids: Sequence[str], *, dry_run: bool = False
    ) -> AsyncIterator[Replayed]:
        """Replay the events of these ids."""
        for start in range(0, len(stripe_ids), _PAGE_EVENTS):
            asked = stripe_ids[start : start + _PAGE_EVENTS]
            events = await read_events(self.pocketbase, asked)
            stored = {event["stripe_id"] for event in events}
            for result in await self._replay(events, dry_run):
                yield result
            for missing in (each for each in asked if each not in stored):
                yield Replayed(missing, "", "unknown", "No such event is stored.")

    async def replay_selected(
        self,
        selection: Selection,
        *,
        after: str = "",
        limit: int | None = None,
        dry_run: bool = False,
    ) -> AsyncIterator[Replayed]:
        """Replay the events of a selection, oldest first.

        Args:
            after: continue after the event of this id.
            limit: the maximum number of events.
        """
        async for events in walk_events(self.pocketbase, selection, after=after, size=_PAGE_EVENTS):
            for result in await self._replay(events[:limit], dry_run):
                yield result
            if limit is not None and (limit := limit - len(events)) <= 0:
                return

    async def _replay(self, events: Sequence[Json], dry_run: bool) -> list[Replayed]:
        """Together, so that they share a transaction."""
        return await asyncio.gather(*(self._replay_one(event, dry_run) for event in events))

    async def _replay_one(self, event: Json, dry_run: bool) -> Replayed:
        try:
            payload = await self._read_payload(event)
            if not payload:
                detail = "Its payload is pruned, and Stripe keeps events for 30 days."
                return Replayed(event["stripe_id"], event["type"], "pruned", detail)
            if dry_run:
                return Replayed(event["stripe_id"], event["type"], "ready")
            change = replace(decide(await self.own_account.parse(payload)), again=True)
            outcome = await self.event_writer.store(change)
        except (GatewayError, PocketBaseRefused) as error:
            return Replayed(event["stripe_id"], event["type"], "error", str(error))
        return Replayed(event["stripe_id"], event["type"], outcome, change.error)

    async def _read_payload(self, event: Json) -> str:
        """The payload as stored, or as Stripe's API still has it, else ""."""
        if event["payload"]:
            return dump_text(event["payload"])
        is_kept = from_column(event["created"]) > datetime.now(UTC) - _KEPT_BY_STRIPE
        # Another account's event can't be read as the platform, and changes no row.
        if event["account"] or not is_kept:
            return ""
        folder = "/v2/core/events" if event["api_version"] == "v2" else "/v1/events"
        try:
            snapshot = await read_object(
                self.client, f"{folder}/{quote(event['stripe_id'], safe='')}"
            )
        except Missing:
            return ""
        return dump_text(snapshot.body)
