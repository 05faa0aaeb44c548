"""Decides what the clock alone can't: states of one object that share a second, and thin events.

First from the stored events of that second; where these can't tell either, the object is read from
Stripe. What was decided is written only if the row still is the one that was looked at, so that an
older read never overwrites a newer one.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

import stripe

from gateway.errors import PocketBaseUnavailable
from gateway.pocketbase import Group, PocketBase, StampedRow, Tie, commit
from gateway.stripe_api import Missing, Reading, read_object
from gateway.webhooks.event import parse
from gateway.webhooks.group import event_row, key_of
from gateway.webhooks.order import State, latest
from gateway.webhooks.paths import SUMMARY, path_of
from gateway.webhooks.projector import Plan, plan, project
from gateway.writes import Claim, Json, Stamp

_log = logging.getLogger(__name__)

#: How often a row may change under our hands before the delivery is given back to Stripe.
_ATTEMPTS = 5
#: Objects read from Stripe at once, far below its rate limit.
_READERS = 8


@dataclass(frozen=True, slots=True)
class Decision:
    """The row to write, if any, and whose it is."""

    row: StampedRow | None
    claims: tuple[Claim, ...] = ()


class Settlement:
    """Settles plans that are all about one object."""

    def __init__(self, pocketbase: PocketBase, client: stripe.StripeClient) -> None:
        self._pocketbase = pocketbase
        self._stripe = client
        self._readers = asyncio.Semaphore(_READERS)

    async def settle(self, plans: Sequence[Plan]) -> tuple[str, ...]:
        """Write the plans' events and the state that the object is in; return their outcomes.

        Raises:
            PocketBaseUnavailable: the row kept changing, or PocketBase does not answer.
            PocketBaseRefused: PocketBase can't store the row.
            StripeUnavailable, StripeRefused: the object had to be read, and could not.
        """
        tie: Tie | None = None
        for _ in range(_ATTEMPTS):
            decision = await self._decide(plans, tie)
            rows = [decision.row] if decision.row else []
            events = [event_row(each, row=0 if rows else None) for each in plans]
            result = await commit(self._pocketbase, Group(events, rows, decision.claims))
            tie = result.ties[0] if result.ties else None
            if tie is None:
                return result.outcomes
        _log.warning("row kept changing", extra={"object": key_of(plans[0])[1]})
        raise PocketBaseUnavailable("The row kept changing while it was written.")

    async def _decide(self, plans: Sequence[Plan], tie: Tie | None) -> Decision:
        claims = tuple(claim for each in plans for claim in each.claims)
        states = _states(plans, tie)
        if winner := _tell_latest(plans, states, tie):
            return Decision(_row_of(winner, plans, tie), claims)
        try:
            reading = await self._read(plans[-1].event.object)
        except Missing:
            # Deleted: its last known state stands until the deletion's own event arrives.
            if not states:
                return Decision(None, claims)
            last = max(states, key=lambda state: (state.order, state.event.stripe_id))
            return Decision(_row_of(last, plans, tie), claims)
        changes = project(reading.body)
        stamp = Stamp(
            int(changes.row.final),
            reading.as_of,
            reading.until,
            changes.row.rank,
            f"read_{uuid4().hex}",
        )
        row = StampedRow(changes.row, stamp, event=len(plans) - 1, expect=tie.stamp if tie else "")
        return Decision(row, (*claims, *changes.claims))

    async def _read(self, item: Json) -> Reading:
        kind, stripe_id = item["object"], str(item.get("id") or item.get("customer"))
        async with self._readers:
            reading = await read_object(self._stripe, path_of(kind, stripe_id))
        if reading.body.get("deleted"):
            raise Missing
        if kind == SUMMARY:
            body = {"object": kind, "customer": stripe_id, "entitlements": reading.body}
            return Reading(body, reading.as_of, reading.until)
        return reading


def _states(plans: Sequence[Plan], tie: Tie | None) -> list[State]:
    """The states that the plans and the stored events show, each event once."""
    stored = [plan(parse(payload)) for payload in tie.payloads] if tie else []
    found = {
        each.event.stripe_id: each.state
        for each in (*stored, *plans)
        if each.state and key_of(each) == key_of(plans[0])
    }
    return list(found.values())


def _tell_latest(plans: Sequence[Plan], states: list[State], tie: Tie | None) -> State | None:
    if any(each.outcome == "thin" for each in plans) or not states:
        return None
    if tie and _source(tie) not in {state.event.stripe_id for state in states}:
        return None  # The row is from a read, or from an event whose payload is pruned.
    return latest(states)


def _row_of(state: State, plans: Sequence[Plan], tie: Tie | None) -> StampedRow:
    places = {each.event.stripe_id: place for place, each in enumerate(plans)}
    is_stored = tie is not None and _source(tie) == state.event.stripe_id
    return StampedRow(
        state.row,
        state.stamp,
        event=places.get(state.event.stripe_id),
        expect=tie.stamp if tie and not is_stored else "",
    )


def _source(tie: Tie) -> str:
    return Stamp(*json.loads(tie.stamp)).source
