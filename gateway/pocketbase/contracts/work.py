"""Routes of the queue of background work (pb_hooks/lib/work/)."""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, model_validator

from gateway.dates import from_column
from gateway.pocketbase.contracts.route import Contract, Empty, HookRoute, describe_errors
from gateway.pocketbase.contracts.text import FreeText
from gateway.pocketbase.contracts.work_event import ClaimedEvent

Status = Literal["waiting", "running", "done", "parked", "cancelled"]
Kind = Literal["event", "record", "job", "tick", "task"]


class HandlerLimit(Contract):
    """A handler that the caller has, and the number of items that it takes now."""

    name: str
    limit: int


class WriteRequest(Contract):
    """A write to a record, in the transaction of the settle."""

    method: Literal["create", "update", "upsert", "delete"]
    collection: str
    #: Chosen by PocketBase if empty, for a create or an upsert.
    id: str = ""
    data: dict[str, Any] = Field(default_factory=dict)


class Settle(Contract):
    """The result of a claimed item."""

    id: str
    claim: str
    status: Literal["waiting", "done", "parked", "cancelled"]
    #: Seconds until an item that waits is due.
    delay: int = 0
    error: FreeText = ""
    #: None keeps the stored one.
    result: Any = None
    state: Any = None
    writes: tuple[WriteRequest, ...] = ()
    #: Whether the attempt does not count, because the item was given back.
    undo_attempt: bool = False
    #: The version that was claimed: an item with a newer one becomes due again.
    version: int | None = None


class Renewal(Contract):
    """A lease to renew; progress and state to store with it, None for none."""

    id: str
    claim: str
    progress: Any = None
    state: Any = None


class ExchangeRequest(Contract):
    """Results, renewals, and the number of items to claim."""

    #: Chosen by the caller; the claim of the items.
    token: str
    handlers: tuple[HandlerLimit, ...]
    limit: int
    lease_seconds: int
    settle: tuple[Settle, ...] = ()
    renew: tuple[Renewal, ...] = ()
    #: Whether the same exchange was sent before and its answer was lost.
    again: bool = False


class ClaimedItem(Contract):
    """An item that the caller has claimed."""

    #: The record's id: the same for every attempt, so it serves as an idempotency key.
    id: str
    kind: Kind
    handler: str
    #: Items of one handler and key run in order; "" for any order.
    key: str
    #: The cause: an event's id, ``collection/id`` of a record, a schedule and its tick.
    source: str
    #: Decoded JSON, None without one.
    payload: Any
    #: Claims, this one included.
    attempts: int
    #: Attempts before it is parked; 0 for no limit.
    tries: int
    at_most_once: bool
    #: Raised by each enqueue of a coalescing item.
    version: int
    #: Decoded JSON that earlier attempts have stored, None without one.
    state: Any
    #: The user's record id, "" for none.
    user: str
    #: When the item was added, as a date column.
    created: str
    #: The token of the claim.
    claim: str
    #: Of an item of the kind ``event``: the event with the current rows.
    event: ClaimedEvent | None = None

    @property
    def is_last_attempt(self) -> bool:
        """Return whether a failure parks the item."""
        return 0 < self.tries <= self.attempts


class UnreadableItem(Contract):
    """A claimed item that does not fit `ClaimedItem`, for example after an edit by hand."""

    id: str
    claim: str
    #: Whole numbers, unless they are the members that do not fit.
    attempts: float
    tries: float
    #: The members that do not fit, without their values.
    reason: str


class FailedWrites(Contract):
    """A result that is not stored, because one of its writes failed."""

    id: str
    error: str


class Renewed(Contract):
    """A lease that the caller still has, and whether the item's cancellation is requested."""

    id: str
    cancel: bool


class ExchangeAnswer(Contract):
    """The ids whose results are stored, those that are not, renewed leases, and claimed items."""

    settled: tuple[str, ...]
    failed: tuple[FailedWrites, ...]
    renewed: tuple[Renewed, ...]
    items: tuple[ClaimedItem, ...]
    unreadable: tuple[UnreadableItem, ...] = ()

    @model_validator(mode="wrap")
    @classmethod
    def _set_unreadable_apart(cls, value: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        """Read an answer; one item that does not fit must not hold up the others."""
        try:
            return read(value)
        except ValidationError:
            found = value.get("items") if isinstance(value, dict) else None
            if not isinstance(found, list):
                raise
        items, unreadable = [], []
        for item in found:
            if reason := _find_fault(item):
                unreadable.append({**item, "reason": reason} if isinstance(item, dict) else item)
            else:
                items.append(item)
        return read({**value, "items": items, "unreadable": unreadable})


def _find_fault(item: Any) -> str:
    """Return why an item can't be read, "" if it can."""
    try:
        ClaimedItem.model_validate(item)
    except ValidationError as error:
        return describe_errors(error)
    return ""


class NewItem(Contract):
    """An item to add; its id is the idempotency key."""

    id: str
    kind: Kind
    handler: str
    #: Items of one handler and key run in order; "" for any order.
    key: str = ""
    source: str = ""
    payload: Any = None
    #: Date columns: the earliest start, "" for now; and the latest, "" for none.
    due: str = ""
    expires: str = ""
    tries: int = 20
    at_most_once: bool = False
    user: str = ""
    #: Whether an item with this id becomes due again with the new payload.
    coalesce: bool = False


class EnqueueRequest(Contract):
    """Items to add."""

    items: tuple[NewItem, ...]


class RetryWorkRequest(Contract):
    """Items to run again; without ids, all parked ones, of one handler if it is named."""

    ids: tuple[str, ...]
    handler: str = ""


class CancelWorkRequest(Contract):
    """Items to cancel."""

    ids: tuple[str, ...]


class PauseWorkRequest(Contract):
    """A handler to pause, or to resume."""

    handler: str
    paused: bool


class PruneWorkRequest(Contract):
    """The items to delete: a maximum per status, and date columns, "" to keep that kind."""

    limit: int
    #: Of items that are done or cancelled: when they ended.
    done_before: str
    #: Of parked items.
    parked_before: str


class PartRequest(Contract):
    """The item to do a part of."""

    id: str


class PartAnswer(Contract):
    """The result of one part."""

    #: Whether work is left.
    left: bool
    #: Why the part failed, "" if it did not.
    error: str = ""


class Changed(Contract):
    """The number of changed items or handlers."""

    changed: int


class LostWork(Contract):
    """The numbers of items that were gone and are added again."""

    #: Of unresolved events.
    events: int
    #: Of deletions of Stripe customers.
    deletions: int


class HandlerCount(Contract):
    """The number of items of one handler and status; ``due`` is the earliest one's."""

    handler: str
    status: Literal["waiting", "running", "parked"]
    number: int
    due: str


class WorkStatus(Contract):
    """The open and parked items by handler, and the paused handlers."""

    counts: tuple[HandlerCount, ...]
    paused: tuple[str, ...]

    def read_oldest_delay(self, now: datetime) -> float:
        """Return the seconds since the earliest waiting item was due, 0 if none is late."""
        due = [each.due for each in self.counts if each.status == "waiting" and each.due]
        return max((0.0, *((now - from_column(each)).total_seconds() for each in due)))


EXCHANGE = HookRoute("POST", "/api/gateway/work/exchange", ExchangeRequest, ExchangeAnswer)
ENQUEUE = HookRoute("POST", "/api/gateway/work/enqueue", EnqueueRequest, Changed)
DO_PART = HookRoute("POST", "/api/gateway/work/part", PartRequest, PartAnswer)
RETRY_WORK = HookRoute("POST", "/api/gateway/work/retry", RetryWorkRequest, Changed)
CANCEL_WORK = HookRoute("POST", "/api/gateway/work/cancel", CancelWorkRequest, Changed)
PAUSE_WORK = HookRoute("POST", "/api/gateway/work/pause", PauseWorkRequest, Changed)
PRUNE_WORK = HookRoute("POST", "/api/gateway/work/prune", PruneWorkRequest, Changed)
ADD_LOST_WORK = HookRoute("POST", "/api/gateway/work/lost", Empty, LostWork)
WORK_STATUS = HookRoute("GET", "/api/gateway/work/status", Empty, WorkStatus)
