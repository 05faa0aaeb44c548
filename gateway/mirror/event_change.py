"""The policy for one event: which row changes, if any. Pure."""

import logging
from dataclasses import dataclass, replace

from gateway.dates import now_column, unix_to_column
from gateway.ids import event_id
from gateway.mirror.nested_lists import is_truncated
from gateway.mirror.ordering import State
from gateway.mirror.redaction import redact
from gateway.mirror.registry import entry_of, path_of
from gateway.pocketbase import EventRow
from gateway.rows import Changes, Json, OwnershipClaim, WorkEntry
from gateway.stripe_api.event import Event

#: The outcome of a stored event until Stripe has answered a read that its row needs.
UNRESOLVED = "unresolved"
#: The work handler that resolves such events.
RESOLVE = "gateway.events.resolve"
#: Identifies an object: its type and its Stripe id.
Key = tuple[str, str]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EventChange:
    """The change that an event makes."""

    event: Event
    #: The object's state, where the event shows one that is mirrored.
    state: State | None = None
    claims: tuple[OwnershipClaim, ...] = ()
    #: Set if there is no state: ignored, connect, failed, or thin (read it from Stripe).
    outcome: str = ""
    #: The incomplete state of an event that lacks entries of nested lists.
    truncated: State | None = None
    error: str = ""
    #: Handle the event although it is stored already.
    again: bool = False
    #: Notifications to write with the event.
    work: tuple[WorkEntry, ...] = ()


def decide(event: Event) -> EventChange:
    """Return the change that an event makes."""
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
    except Exception as error:  # One failing projection must not fail the batch.
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


def unresolved(event: Event) -> EventChange:
    """Return the change of an event that is stored before its row can be decided.

    It adds the item that resolves it (`gateway.events.resolution`).
    """
    item = WorkEntry(
        handler=RESOLVE,
        kind="",
        collection="",
        object_id="",
        customer="",
        created=event.created,
        tries=0,
        # One after the other per object, so that one read serves all of its events.
        key=event.object_id,
    )
    return EventChange(event, outcome=UNRESOLVED, work=(item,))


def project(item: Json, *, deleted: bool = False) -> Changes:
    """Return the row and the ownership claims of a Stripe object."""
    is_deleted = deleted or item.get("deleted") is True
    changes = entry_of(item["object"]).project(item, is_deleted)
    return replace(changes, row=replace(changes.row, object=redact(item)))


def key_of(change: EventChange) -> Key:
    """Return the key of the object that a change is about."""
    if change.state:
        return change.state.row.key
    return str(change.event.object.get("object")), change.event.object_id


def event_row(change: EventChange, row: int | None = None) -> EventRow:
    """Return the row of ``stripe_events`` for a change."""
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
        work=change.work,
    )
