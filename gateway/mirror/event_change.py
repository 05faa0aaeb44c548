"""The policy for one event: what it changes, if anything. Pure; nothing else decides it."""

import logging
from dataclasses import dataclass, replace

from gateway.dates import now_column, unix_to_column
from gateway.ids import event_id
from gateway.mirror.nested_lists import is_truncated
from gateway.mirror.ordering import State
from gateway.mirror.redaction import redact
from gateway.mirror.registry import entry_of, path_of
from gateway.pocketbase import EventRow
from gateway.rows import Changes, Json, OutboxEntry, OwnershipClaim
from gateway.stripe_api.event import Event

#: What changes must share to be decided together: the object that they show.
Key = tuple[str, str]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EventChange:
    """What is to be done with an event."""

    event: Event
    #: The object's state, where the event shows one that is mirrored.
    state: State | None = None
    claims: tuple[OwnershipClaim, ...] = ()
    #: Known already when there is no state: ignored, connect, failed, or thin: Stripe must tell.
    outcome: str = ""
    #: Of an event that lacks entries of nested lists, the state as far as it shows it.
    truncated: State | None = None
    error: str = ""
    #: Handle the event although it is stored already.
    again: bool = False
    #: Who is to be told of it.
    outbox: tuple[OutboxEntry, ...] = ()


def decide(event: Event) -> EventChange:
    """Decide what an event changes."""
    if event.account:
        # Another account's objects are not ours.
        return EventChange(event, outcome="connect")
    kind = event.object.get("object")
    if not isinstance(kind, str) or not kind or not event.object_id:
        return EventChange(event, outcome="ignored")
    if event.is_thin:
        is_readable = event.snapshot or path_of(kind, event.object_id)
        return EventChange(event, outcome="thin" if is_readable else "ignored")
    try:
        changes = project(event.object, deleted=event.type.endswith(".deleted"))
    except Exception as error:  # A projection must not take the rest of its batch down.
        _log.exception("projection failed", extra={"event": event.stripe_id, "type": event.type})
        return EventChange(event, outcome="failed", error=f"{type(error).__name__}: {error}"[:2000])
    if not changes.row.stripe_id:
        # invoice.upcoming shows an invoice that does not exist yet.
        return EventChange(event, outcome="ignored")
    claims = tuple(replace(claim, since=event.created) for claim in changes.claims)
    state = State(event, changes.row)
    if is_truncated(event.object):
        return EventChange(event, claims=claims, outcome="thin", truncated=state)
    return EventChange(event, state, claims)


def project(item: Json, *, deleted: bool = False) -> Changes:
    """Return what a state of a Stripe object means."""
    is_deleted = deleted or item.get("deleted") is True
    changes = entry_of(item["object"]).project(item, is_deleted)
    return replace(changes, row=replace(changes.row, object=redact(item)))


def key_of(change: EventChange) -> Key:
    """The object that a change is about."""
    if change.state:
        return change.state.row.key
    return str(change.event.object.get("object")), change.event.object_id


def event_row(change: EventChange, row: int | None = None) -> EventRow:
    """The row that keeps a change's event."""
    event = change.event
    return EventRow(
        stripe_id=event.stripe_id,
        columns={
            "id": event_id(event.stripe_id, event.created),
            "type": event.type,
            "object_id": event.object_id,
            "account": event.account,
            "api_version": event.api_version,
            "livemode": event.livemode,
            "created": unix_to_column(event.created),
            "received": now_column(),
        },
        payload=event.payload,
        row=row,
        outcome="" if row is not None else change.outcome,
        error=change.error,
        again=change.again,
        outbox=change.outbox,
    )
