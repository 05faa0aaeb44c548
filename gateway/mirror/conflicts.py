"""Resolves conflicts: states of one object within one second, and thin events.

The stored events of that second are ordered first. If they do not show the newest state, the object
is read from Stripe. A decision is written only if the row and the events of its second are
unchanged since, so that an older read never overwrites a newer one.

A delivery never waits for Stripe: its resolver has ``may_read=False`` and raises `Undecided`.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import quote

import stripe

from gateway.errors import PocketBaseUnavailable
from gateway.json_codec import dump_text, load
from gateway.metrics import count_stripe_read
from gateway.mirror.entitlement_summary import read_summary
from gateway.mirror.event_change import EventChange, decide, event_row, key_of, project
from gateway.mirror.locks import ObjectLocks
from gateway.mirror.nested_lists import complete
from gateway.mirror.ordering import State, latest
from gateway.mirror.refresh import project_snapshot
from gateway.mirror.registry import SUMMARY, path_of
from gateway.pocketbase import CommitBatch, PocketBase, VersionConflict, VersionedRow, commit
from gateway.rows import OwnershipClaim, Version
from gateway.stripe_api import Missing, Snapshot, read_object
from gateway.stripe_api.event import Event
from gateway.stripe_api.own_account import OwnAccount

_log = logging.getLogger(__name__)

#: Tries for a row that other writers change; then the delivery fails and Stripe retries.
_MAX_ATTEMPTS = 6
#: Objects read from Stripe at once, far below its rate limit.
_MAX_READS = 8
#: Columns of a row that shows a deleted object of which nothing else is known.
_FLAGS = ("deleted", "active", "valid", "object")


class Undecided(Exception):
    """A resolver that may not read from Stripe could not decide."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The row to write, if any, and its ownership claims."""

    row: VersionedRow | None
    claims: tuple[OwnershipClaim, ...] = ()


class ConflictResolver:
    """Resolves conflicts between states of one object.

    Args:
        locks: shared by the resolvers and refreshers of one process that read from Stripe.
        may_read: whether objects may be read from Stripe.
    """

    def __init__(
        self,
        pocketbase: PocketBase,
        client: stripe.StripeClient,
        own_account: OwnAccount,
        locks: ObjectLocks | None = None,
        *,
        may_read: bool = True,
    ) -> None:
        self._own_account = own_account
        self._pocketbase = pocketbase
        self._stripe = client
        self._locks = locks or ObjectLocks()
        self._readers = asyncio.Semaphore(_MAX_READS)
        self._may_read = may_read

    async def resolve(self, changes: Sequence[EventChange]) -> tuple[str, ...]:
        """Write the events of the changes and the object's newest state; return the outcomes.

        Raises:
            Undecided: this resolver may not read, and the stored events do not decide.
            PocketBaseUnavailable: the row kept changing, or PocketBase does not answer.
            PocketBaseRefused: PocketBase can't store the row.
            StripeUnavailable, StripeRefused: the object had to be read, and could not.
        """
        _, stripe_id = key_of(changes[0])
        async with self._locks.of(stripe_id):
            conflict: VersionConflict | None = None
            for _ in range(_MAX_ATTEMPTS):
                result = await commit(self._pocketbase, await self._compose(changes, conflict))
                conflict = result.conflicts[0] if result.conflicts else None
                if conflict is None:
                    return result.outcomes
        _log.warning("row write conflict", extra={"object": stripe_id})
        if not self._may_read:
            raise Undecided
        raise PocketBaseUnavailable("The row kept changing while it was written.")

    async def _compose(
        self, changes: Sequence[EventChange], conflict: VersionConflict | None
    ) -> CommitBatch:
        decision = await self._decide(changes, conflict)
        claims = (*(claim for each in changes for claim in each.claims), *decision.claims)
        if decision.row:
            return CommitBatch([event_row(each, row=0) for each in changes], [decision.row], claims)
        outcome = "superseded" if conflict and conflict.version else "ignored"
        left = [replace(each, outcome=outcome) for each in changes]
        return CommitBatch([event_row(each) for each in left], claims=claims)

    async def _decide(
        self, changes: Sequence[EventChange], conflict: VersionConflict | None
    ) -> Decision:
        states = _states(changes, conflict, self._own_account)
        if winner := _decide_latest(states, conflict):
            return Decision(_row_of(winner, changes, conflict))
        if conflict is None:
            return Decision(_question(changes, states))
        if not _path(changes[-1].event):
            return await self._decide_unreadable(changes, states, conflict)
        try:
            snapshot = await self._read(changes[-1].event)
        except Missing:
            return await self._decide_missing(changes, states, conflict)
        return Decision(*project_snapshot(snapshot, conflict, event=len(changes) - 1))

    async def _decide_unreadable(
        self, changes: Sequence[EventChange], states: Sequence[State], conflict: VersionConflict
    ) -> Decision:
        """Stripe can't return this type: take the newest event, then the greater event id."""
        found = [await self._read_shown(each.event) for each in changes if each.event.is_thin]
        states = [*states, *(state for state in found if state)]
        last = max(states, key=lambda state: (state.order, state.event.stripe_id), default=None)
        if last is None or (conflict.version and last.version <= _stored_version(conflict)):
            return Decision(None)
        return Decision(_row_of(last, changes, conflict))

    async def _decide_missing(
        self, changes: Sequence[EventChange], states: Sequence[State], conflict: VersionConflict
    ) -> Decision:
        """The object is deleted: keep a known state until the deletion event arrives."""
        for each in changes:
            if each.event.is_thin and each.event.type.endswith(".deleted"):
                state = await self._read_snapshot(each.event) or _tombstone(each.event)
                return Decision(
                    VersionedRow(state.row, state.version, changes.index(each), expect=conflict)
                )
        states = states or _truncated_states(changes, conflict, self._own_account)
        if not states or not _shows_row(states, conflict):
            return Decision(None)
        last = max(states, key=lambda state: (state.order, state.event.stripe_id))
        return Decision(_row_of(last, changes, conflict))

    async def _read(self, event: Event) -> Snapshot:
        """Read an event's object in the event's API version: columns depend on it."""
        self._require_reads()
        count_stripe_read()
        kind, stripe_id = event.object["object"], event.object_id
        version = "" if event.is_thin else event.api_version
        read = partial(read_object, self._stripe, version=version)
        async with self._readers:
            if kind == SUMMARY:
                return await read_summary(read, stripe_id)
            snapshot = await complete(read, await read(_path(event)))
        if snapshot.body.get("deleted"):
            raise Missing
        return snapshot

    def _require_reads(self) -> None:
        if not self._may_read:
            raise Undecided

    async def _read_shown(self, event: Event) -> State | None:
        """Return the state that a thin event announces, if Stripe still has it."""
        state = await self._read_snapshot(event)
        return state or (_tombstone(event) if event.type.endswith(".deleted") else None)

    async def _read_snapshot(self, event: Event) -> State | None:
        """Read the snapshot event: a deleted object can't be read, its event can for 30 days."""
        if not event.snapshot:
            return None
        self._require_reads()
        path = f"/v1/events/{quote(event.snapshot, safe='')}"
        try:
            async with self._readers:
                snapshot = await read_object(self._stripe, path)
        except Missing:
            return None
        return decide(await self._own_account.parse(dump_text(snapshot.body))).state


def _tombstone(event: Event) -> State:
    """Return a state with only the deletion flags: the object can't be read any more."""
    row = project(event.object, deleted=True).row
    values = {name: row.values[name] for name in _FLAGS if name in row.values}
    return State(event, replace(row, values=values, object=None))


def _states(
    changes: Sequence[EventChange], conflict: VersionConflict | None, own_account: OwnAccount
) -> list[State]:
    """Return the states of the changes and the stored events, each event once."""
    found = {
        each.event.stripe_id: each.state
        for each in (*_stored(conflict, own_account), *changes)
        if each.state and key_of(each) == key_of(changes[0])
    }
    return list(found.values())


def _truncated_states(
    changes: Sequence[EventChange], conflict: VersionConflict, own_account: OwnAccount
) -> list[State]:
    """Like `_states`, with states that lack entries of nested lists, for a deleted object."""
    keys = {each.truncated.row.key for each in changes if each.truncated}
    found = (*_stored(conflict, own_account), *changes)
    shown = {each.event.stripe_id: each.state or each.truncated for each in found}
    return [state for state in shown.values() if state and state.row.key in keys]


def _stored(conflict: VersionConflict | None, own_account: OwnAccount) -> list[EventChange]:
    return [decide(own_account.read(payload)) for payload in (conflict and conflict.payloads) or ()]


def _decide_latest(states: Sequence[State], conflict: VersionConflict | None) -> State | None:
    if not states or (conflict and not _shows_row(states, conflict)):
        return None
    return latest(states)


def _shows_row(states: Sequence[State], conflict: VersionConflict) -> bool:
    """Whether the row shows one of the states and all events of its second are known."""
    if conflict.payloads is None:
        return False
    return not conflict.version or _source(conflict) in {state.event.stripe_id for state in states}


def _question(changes: Sequence[EventChange], states: Sequence[State]) -> VersionedRow:
    """Return a row that is not written: PocketBase compares it and returns its events."""
    if states:
        state = max(states, key=lambda state: state.order)
        return VersionedRow(state.row, state.version, event=_place(state, changes), ask="order")
    event = max((each.event for each in changes), key=lambda event: event.created)
    row = project(event.object).row
    return VersionedRow(row, Version(0, event.created, event.created, 0, ""), ask="time")


def _row_of(
    state: State, changes: Sequence[EventChange], conflict: VersionConflict | None
) -> VersionedRow:
    again = any(each.again for each in changes)
    return VersionedRow(
        state.row, state.version, _place(state, changes), expect=conflict, again=again
    )


def _place(state: State, changes: Sequence[EventChange]) -> int | None:
    ids = [each.event.snapshot or each.event.stripe_id for each in changes]
    return ids.index(state.event.stripe_id) if state.event.stripe_id in ids else None


def _source(conflict: VersionConflict) -> str:
    return _stored_version(conflict).source


def _stored_version(conflict: VersionConflict) -> Version:
    return Version(*load(conflict.version))


def _path(event: Event) -> str:
    return path_of(event.object["object"], event.object_id)
