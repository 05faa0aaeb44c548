"""The results of a work handler."""

from dataclasses import dataclass, field
from typing import Any, Literal

from gateway.rows import Json


@dataclass(frozen=True, slots=True)
class RecordWrite:
    """A write to a PocketBase record that commits together with the item's result.

    It is made as superuser: the collection's validation and model hooks run, its API rules and
    transforms do not.
    """

    method: Literal["create", "update", "upsert", "delete"]
    collection: str
    #: The record's id; PocketBase chooses one for a create without it.
    id: str = ""
    data: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """The item is done."""

    #: Stored in the column `result`; None keeps it empty.
    result: Any = None
    writes: tuple[RecordWrite, ...] = ()


@dataclass(frozen=True, slots=True)
class Retry:
    """The attempt failed; the item is parked if it was the last one."""

    error: str
    #: Seconds until the next attempt; None for exponential back-off.
    delay: int | None = None
    #: Whether the attempt counts; not if the handler only waits for something.
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Park:
    """The item needs a person: it is kept with the error until an operator retries it."""

    error: str
    #: Stored in the column `result`; None keeps it as it is.
    result: Any = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """The item is not needed any more."""

    reason: str


Outcome = Done | Retry | Park | Cancel


class GiveUp(Exception):
    """Raised by a handler: further attempts would fail too, so the item is parked at once."""
