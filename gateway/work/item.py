"""An item of the queue that this process has claimed."""

from dataclasses import dataclass
from typing import Any, Self

from gateway.pocketbase.contracts.work import ClaimedItem
from gateway.pocketbase.contracts.work_event import ClaimedEvent


@dataclass(frozen=True, slots=True)
class WorkItem:
    """A claimed item."""

    #: The record's id: the same for every attempt, so it serves as an idempotency key.
    id: str
    #: event, record, job, tick or task.
    kind: str
    handler: str
    #: Items of one handler and key run in order; "" for any order.
    key: str
    #: The cause: an event's id, ``collection/id`` of a record, a schedule and its tick.
    source: str
    #: Decoded JSON, None without one.
    payload: Any
    #: Claims, this one included.
    attempts: int
    #: Attempts before the item is parked; 0 for no limit.
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

    @classmethod
    def of(cls, claimed: ClaimedItem) -> Self:
        """Return the item of a hook's answer."""
        return cls(**{name: getattr(claimed, name) for name in cls.__slots__})

    @property
    def is_last_attempt(self) -> bool:
        """Return whether a failure parks the item."""
        return 0 < self.tries <= self.attempts
