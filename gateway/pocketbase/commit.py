"""The commit route of pb_hooks: events and the rows they change, in one PocketBase transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from gateway.dates import unix_to_column
from gateway.errors import PocketBaseUnavailable
from gateway.ids import record_id
from gateway.json_codec import dump_parsed
from gateway.pocketbase.client import PocketBase, PocketBaseRefused
from gateway.pocketbase.contracts.commit import (
    COMMIT,
    CommitEvent,
    CommitHead,
    CommitRow,
    CommitWorkItem,
    EventColumns,
)
from gateway.pocketbase.contracts.route import NO_ROUTE
from gateway.rows import Json, OwnershipClaim, Row, Version, WorkEntry

#: Parts the payloads: JSON text can't hold it unescaped (compare RFC 7464).
_SEPARATOR = b"\x1e"


@dataclass(frozen=True, slots=True)
class EventRow:
    """The row of ``stripe_events`` that keeps one delivery."""

    stripe_id: str
    columns: EventColumns
    #: The event's JSON, see `Event.payload`.
    payload: str
    #: Index in `CommitBatch.rows` of the row that shows the event's object.
    row: int | None = None
    #: Given when the outcome is known without looking at a row.
    outcome: str = ""
    error: str = ""
    #: Handle the event again although it is stored.
    again: bool = False
    #: Items of the queue to add if the event is stored now.
    work: tuple[WorkEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class VersionConflict:
    """A row that its version does not order, with the stored events that may order it."""

    #: The stored row's version, "" if there is none.
    version: str
    #: All stored events of the seconds in question, None if they are too many or pruned.
    payloads: tuple[str, ...] | None
    #: A decision is written only if this is unchanged.
    guard: dict[str, Any]


@dataclass(frozen=True, slots=True)
class VersionedRow:
    """A row to write if its version is newer than the stored one."""

    row: Row
    version: Version
    #: Index in `CommitBatch.events` of the event that the row is from, None for a read.
    event: int | None = None
    #: The conflict that the row decides: it is written if that is unchanged, whatever its version.
    expect: VersionConflict | None = None
    #: Don't write the row, only compare its order or its time; it is a conflict or stale.
    ask: Literal["", "order", "time"] = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class CommitBatch:
    """The events, rows and claims of one transaction."""

    events: Sequence[EventRow] = ()
    rows: Sequence[VersionedRow] = ()
    claims: Sequence[OwnershipClaim] = ()


@dataclass(frozen=True, slots=True)
class CommitResult:
    """The result of a batch."""

    #: For each event: applied, superseded, duplicate, conflict, or the outcome that was given.
    outcomes: tuple[str, ...] = ()
    #: For each row: the conflict that kept it, and its events, from being stored.
    conflicts: tuple[VersionConflict | None, ...] = field(default=())


async def commit(pocketbase: PocketBase, batch: CommitBatch) -> CommitResult:
    """Write a batch in one transaction; sending it again changes nothing.

    Raises:
        PocketBaseRefused: PocketBase can't store one of the rows; nothing is written.
        PocketBaseUnavailable: the batch may or may not be written.
    """
    try:
        answer = COMMIT.read(await _call_twice(pocketbase, _encode(batch)))
    except PocketBaseRefused as refused:
        # Else the events would count as ones that can't be stored.
        if refused.status == 404:
            raise COMMIT.mismatch(NO_ROUTE) from refused
        raise
    if (len(answer.outcomes), len(answer.conflicts)) != (len(batch.events), len(batch.rows)):
        raise COMMIT.mismatch(
            "the numbers of outcomes and conflicts are not those of events and rows"
        )
    return CommitResult(
        outcomes=answer.outcomes,
        conflicts=tuple(
            VersionConflict(conflict.version, conflict.events, conflict.guard) if conflict else None
            for conflict in answer.conflicts
        ),
    )


async def _call_twice(pocketbase: PocketBase, body: bytes) -> Json:
    """A connection that PocketBase closed while idle fails at once: try on a new one."""
    try:
        return await pocketbase.call(COMMIT.method, COMMIT.path, body, is_commit=True)
    except PocketBaseUnavailable as error:
        if isinstance(error.__cause__, TimeoutError) or error.__cause__ is None:
            raise
    return await pocketbase.call(COMMIT.method, COMMIT.path, body, is_commit=True)


def _encode(batch: CommitBatch) -> bytes:
    rows = [(versioned, _record(versioned)) for versioned in batch.rows]
    objects = [_object(versioned) for versioned in batch.rows]
    spans = [
        _find_span(batch, versioned, text)
        for versioned, text in zip(batch.rows, objects, strict=True)
    ]
    work = [_work_item(event.stripe_id, entry) for event in batch.events for entry in event.work]
    head: CommitHead = {
        "events": [_event(event) for event in batch.events],
        "rows": [
            _row(versioned, record, span)
            for (versioned, record), span in zip(rows, spans, strict=True)
        ],
        "claims": [
            {
                "customer": record_id(claim.customer),
                "customer_id": claim.customer,
                "user": claim.user,
                "organization": claim.organization,
                "email": claim.email,
                "primary": claim.primary,
                "since": claim.since,
            }
            for claim in batch.claims
        ],
        "work": [place for place, event in enumerate(batch.events) for _ in event.work] or None,
    }
    return _SEPARATOR.join(
        [
            dump_parsed(head),
            *(_columns(versioned, record) for versioned, record in rows),
            *(text for text, span in zip(objects, spans, strict=True) if not span),
            *(event.payload.encode() for event in batch.events),
            *([dump_parsed(work)] if work else []),
        ]
    )


def _record(versioned: VersionedRow) -> Json:
    """The columns of a row without its Stripe object, which has a text of its own."""
    return replace(versioned.row, object=None).record


def _object(versioned: VersionedRow) -> bytes:
    """The Stripe object; empty for a row that is only compared, or that keeps the stored one."""
    item = versioned.row.object
    return b"" if versioned.ask or item is None else dump_parsed(item)


def _find_span(batch: CommitBatch, versioned: VersionedRow, text: bytes) -> list[int] | None:
    """Return start and end of the Stripe object in its event's payload, so that it is sent once.

    None if the payload does not contain it, or if JavaScript counts its characters differently.
    """
    if not text or versioned.event is None:
        return None
    payload = batch.events[versioned.event].payload
    start = payload.find(text.decode()) if payload.isascii() else -1
    return [start, start + len(text)] if start >= 0 else None


def _columns(versioned: VersionedRow, record: Json) -> bytes:
    """All columns of a row, as PocketBase takes them: lists and hashes are JSON text themselves."""
    columns = {**record, "version": list(versioned.version)}
    for name, value in columns.items():
        if isinstance(value, (dict, list)):
            columns[name] = dump_parsed(value).decode()
    return dump_parsed(columns)


def _event(event: EventRow) -> CommitEvent:
    return {
        **event.columns,
        "stripe_id": event.stripe_id,
        "row": event.row,
        "outcome": event.outcome,
        "error": event.error,
        "again": event.again,
    }


def _work_item(event_id: str, entry: WorkEntry) -> CommitWorkItem:
    return {
        # One per event and handler, however often the event is delivered.
        "id": record_id(f"{event_id}|{entry.handler}"),
        "kind": "event",
        "handler": entry.handler,
        "key": entry.key,
        "source": event_id,
        "payload": {
            "kind": entry.kind,
            "collection": entry.collection,
            "record": record_id(entry.object_id) if entry.object_id else "",
            "customer": record_id(entry.customer) if entry.customer else "",
            "created": unix_to_column(entry.created),
        },
        "expires": unix_to_column(entry.expires) if entry.expires else "",
        "tries": entry.tries,
        "at_most_once": entry.at_most_once,
    }


def _row(versioned: VersionedRow, record: Json, span: list[int] | None) -> CommitRow:
    return {
        "collection": versioned.row.collection,
        "id": record["id"],
        "stripe_id": record["stripe_id"],
        "customer": record.get("customer", ""),
        "user": versioned.row.user,
        "version": list(versioned.version),
        "event": versioned.event,
        "expect": versioned.expect.guard if versioned.expect else None,
        "ask": versioned.ask,
        "again": versioned.again,
        "object_span": span,
    }
