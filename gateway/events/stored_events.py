"""Finds events in ``stripe_events``, a page at a time."""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.dates import to_column
from gateway.errors import InvalidRequest, NotFound
from gateway.mirror.event_change import UNRESOLVED
from gateway.pocketbase import PocketBase
from gateway.rows import Json

_FACTS = (
    "id,stripe_id,type,outcome,error,attempts,object_id,account,api_version,livemode,"
    "created,received"
)
#: Characters of ids, types and outcomes; none has a meaning in a filter.
_ID = re.compile(r"[\w.:-]{1,255}", re.ASCII)
_WORD = re.compile(rf"{_ID.pattern}\*?", re.ASCII)
#: Limit for the ids in one filter; PocketBase accepts 3,500 characters.
_MAX_FILTER_CHARACTERS = 3_000


class NoSuchEvent(NotFound):
    """This event is not stored."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which stored events are meant: those that fit all that is given."""

    #: ``customer.created``, or ``customer.*`` for all that begin so.
    type: str = ""
    object_id: str = ""
    outcome: str = ""
    #: By Stripe's clock: not before, and before.
    since: datetime | None = None
    until: datetime | None = None
    #: Handled less often than this.
    attempts_below: int | None = None

    @property
    def filter(self) -> str:
        """The selection in PocketBase's filter language.

        Raises:
            InvalidRequest: a name has characters that no name of Stripe's has.
        """
        parts = [
            _match("type", self.type),
            _match("object_id", self.object_id),
            _match("outcome", self.outcome),
            f"created >= '{to_column(self.since)}'" if self.since else "",
            f"created < '{to_column(self.until)}'" if self.until else "",
            f"attempts < {self.attempts_below}" if self.attempts_below is not None else "",
        ]
        return " && ".join(part for part in parts if part)


def _match(name: str, value: str) -> str:
    if not value:
        return ""
    if not _WORD.fullmatch(value):
        raise InvalidRequest(f"{value!r} is no {name}.")
    if not value.endswith("*"):
        return f"{name} = '{value}'"
    # `~` is LIKE, where an underscore stands for any character: harmless in what Stripe uses.
    return f"{name} ~ '{value[:-1]}%'"


async def list_events(
    pocketbase: PocketBase, selection: Selection, limit: int, *, after: str = ""
) -> list[Json]:
    """Return a page of events, newest first, without their payloads.

    Args:
        after: the id of the event that the page follows.

    Raises:
        NoSuchEvent: there is no event ``after``.
    """
    last = await read_event(pocketbase, after) if after else None
    wanted = _after(selection, last, "<")
    return await _find(pocketbase, wanted, limit, sort="-created,-id", fields=_FACTS)


async def read_event(pocketbase: PocketBase, stripe_id: str) -> Json:
    """Return one event with its payload, which is None once it is pruned.

    Raises:
        NoSuchEvent: it is not stored.
    """
    for event in await read_events(pocketbase, [stripe_id]):
        return event
    raise NoSuchEvent(f"{stripe_id} is not stored.")


async def read_events(pocketbase: PocketBase, stripe_ids: Sequence[str]) -> list[Json]:
    """Return the events of up to 100 ids with their payloads; those not stored are left out."""
    rows = await _find_named(pocketbase, stripe_ids)
    return sorted(rows, key=lambda row: (row["created"], row["id"]))


async def find_handled(pocketbase: PocketBase, stripe_ids: Sequence[str]) -> set[str]:
    """Return which of up to 100 events are stored and neither failed nor unresolved."""
    rows = await _find_named(pocketbase, stripe_ids, fields="stripe_id,outcome")
    return {row["stripe_id"] for row in rows if row["outcome"] not in ("failed", UNRESOLVED)}


async def walk_events(
    pocketbase: PocketBase, selection: Selection, *, after: str = "", size: int = 50
) -> AsyncIterator[list[Json]]:
    """Yield all events with their payloads, oldest first, in pages that fit into memory.

    Raises:
        NoSuchEvent: there is no event ``after``.
    """
    last = await read_event(pocketbase, after) if after else None
    while page := await _find(pocketbase, _after(selection, last, ">"), size, sort="created,id"):
        yield page
        last = page[-1]


def _after(selection: Selection, last: Json | None, sign: str) -> str:
    """Return the filter for the events after an event (``>``) or before it."""
    parts = [f"({selection.filter})"] if selection.filter else []
    if last:
        # Two conditions, because PocketBase's filters compare no pairs.
        parts.append(f"created {sign}= '{last['created']}'")
        parts.append(f"(created {sign} '{last['created']}' || id {sign} '{last['id']}')")
    return " && ".join(parts)


async def _find_named(
    pocketbase: PocketBase, stripe_ids: Sequence[str], *, fields: str = ""
) -> list[Json]:
    found: list[Json] = []
    for some in _batch([each for each in stripe_ids if _ID.fullmatch(each)]):
        wanted = " || ".join(f"stripe_id = '{each}'" for each in some)
        found += await _find(pocketbase, wanted, len(some), sort="id", fields=fields)
    return found


def _batch(stripe_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Part ids so that each part fits into a filter."""
    longest = max(map(len, stripe_ids), default=0)
    size = _MAX_FILTER_CHARACTERS // (longest + len(" || stripe_id = ''"))
    for start in range(0, len(stripe_ids), size):
        yield stripe_ids[start : start + size]


async def _find(
    pocketbase: PocketBase, wanted: str, limit: int, *, sort: str, fields: str = ""
) -> list[Json]:
    query: dict[str, str | int] = {
        "filter": wanted,
        "perPage": limit,
        "skipTotal": 1,
        "sort": sort,
        "fields": fields,
    }
    given = {name: value for name, value in query.items() if value != ""}
    answer = await pocketbase.call("GET", pocketbase.records_path("stripe_events"), query=given)
    found: list[Json] = answer["items"]
    return found
