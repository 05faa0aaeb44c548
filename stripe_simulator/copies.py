"""A large account from a small one: copies of objects under other ids, built when they are read.

200,000 copies take the memory of their originals. A copy is older than its original by its number
of steps. One that is read by its id is kept, so that a change of it lasts.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence, ValuesView
from dataclasses import dataclass
from itertools import chain
from typing import Any, overload

import orjson

from stripe_simulator.snapshots import JSON

#: Digits that a copy's ids have in addition.
_DIGITS = 6
_CREATED = r'(?<="created":)\d+'


@dataclass(frozen=True, slots=True)
class Pattern:
    """The text of an object, split where its copies differ."""

    id: str
    #: Alternately text and the place after it: a time, or None at the end of an id.
    pieces: tuple[str, ...]
    times: tuple[int | None, ...]

    @classmethod
    def of(cls, obj: JSON, ids: "re.Pattern[str]") -> "Pattern":
        """Split an object at the ids that a pattern finds, and at its times of creation."""
        text, pieces, times, start = orjson.dumps(obj).decode(), [], [], 0
        for found in ids.finditer(text):
            is_time = found.group().isdigit()
            pieces.append(text[start : found.start() if is_time else found.end()])
            times.append(int(found.group()) if is_time else None)
            start = found.end()
        return cls(obj["id"], (*pieces, text[start:]), (*times, None))

    def copy(self, number: int, step: int) -> JSON:
        """Build a copy, older by so many steps in seconds."""
        suffix, age = f"{number:0{_DIGITS}}", number * step
        parts: list[str] = []
        for piece, time in zip(self.pieces, self.times, strict=True):
            parts += (piece, suffix if time is None else str(time - age))
        copied: JSON = orjson.loads("".join(parts[:-1]))
        return copied


def find_ids(ids: Iterable[str]) -> "re.Pattern[str]":
    """Return the pattern of `Pattern.of` for the ids that copies have of their own."""
    return re.compile("|".join([_CREATED, *map(re.escape, sorted(ids, key=len, reverse=True))]))


class Copies(MutableMapping[str, JSON]):
    """Objects of one kind by id, oldest first: the copies, then the account's own."""

    def __init__(
        self, own: MutableMapping[str, JSON], patterns: Sequence[Pattern], count: int, step: int
    ) -> None:
        """Copy some of the own objects.

        Args:
            patterns: the originals, oldest first.
            count: copies of each.
            step: seconds from one copy to the next.
        """
        self._own = own
        self._patterns = patterns
        self._places = {pattern.id: place for place, pattern in enumerate(patterns)}
        self._count = count
        self._step = step
        #: The copies that are left, by their positions, oldest first.
        self._order = list(range(count * len(patterns)))
        #: Copies that were read by their ids.
        self._kept: dict[str, JSON] = {}

    def _position(self, id: str) -> int | None:
        """Return the index of a copy in `_order`."""
        place, number = self._places.get(id[:-_DIGITS]), id[-_DIGITS:]
        if place is None or not number.isdigit() or not 0 < int(number) <= self._count:
            return None
        wanted = (self._count - int(number)) * len(self._patterns) + place
        index = bisect_left(self._order, wanted)
        return index if index < len(self._order) and self._order[index] == wanted else None

    def _copy(self, index: int) -> JSON:
        turn, place = divmod(self._order[index], len(self._patterns))
        pattern, number = self._patterns[place], self._count - turn
        kept = self._kept.get(f"{pattern.id}{number:0{_DIGITS}}")
        return pattern.copy(number, self._step) if kept is None else kept

    def __getitem__(self, id: str) -> JSON:
        """Return an object; a copy is kept from now."""
        if id in self._own:
            return self._own[id]
        index = self._position(id)
        if index is None:
            raise KeyError(id)
        return self._kept.setdefault(id, self._copy(index))

    def __setitem__(self, id: str, obj: JSON) -> None:
        """Add an object, or replace one."""
        (self._own if self._position(id) is None else self._kept)[id] = obj

    def __delitem__(self, id: str) -> None:
        """Remove an object."""
        index = self._position(id)
        if index is None:
            del self._own[id]
            return
        del self._order[index]
        self._kept.pop(id, None)

    def __len__(self) -> int:
        """Return the number of objects."""
        return len(self._order) + len(self._own)

    def __iter__(self) -> Iterator[str]:
        """Yield the ids, oldest first."""
        return (obj["id"] for obj in self.values())

    def values(self) -> ValuesView[JSON]:
        """Return the objects, oldest first, without keeping them."""
        return _Values(self)

    def near(self, id: str) -> Iterable[JSON]:
        """Return the objects that may refer to an object of any kind; the others don't."""
        number = id[-_DIGITS:]
        siblings = (f"{pattern.id}{number}" for pattern in self._patterns)
        found = (self._position(sibling) for sibling in siblings)
        copies = (self._copy(index) for index in found if index is not None)
        near = {obj["id"]: obj for obj in chain(copies, self._kept.values())}
        return [*near.values(), *self._own.values()]

    def newest_first(self) -> "NewestFirst":
        """Return the objects as Stripe lists them."""
        own, last = list(self._own.values()), len(self) - 1

        def read(index: int) -> JSON:
            return own[-1 - index] if index < len(own) else self._copy(last - index)

        def find(id: str) -> int | None:
            if id in self._own:
                return len(own) - 1 - list(self._own).index(id)
            index = self._position(id)
            return None if index is None else last - index

        return NewestFirst(len(self), read, find)


class _Values(ValuesView[JSON]):
    _mapping: Copies

    def __iter__(self) -> Iterator[JSON]:
        copies = self._mapping
        yield from map(copies._copy, range(len(copies._order)))
        yield from copies._own.values()

    def __reversed__(self) -> Iterator[JSON]:
        return iter(self._mapping.newest_first())


@dataclass(frozen=True, slots=True)
class NewestFirst(Sequence[JSON]):
    """A list of objects, each built when it is read."""

    length: int
    at: Callable[[int], JSON]
    index_of: Callable[[str], int | None]

    def __len__(self) -> int:
        """Return the number of objects."""
        return self.length

    @overload
    def __getitem__(self, index: int) -> JSON: ...
    @overload
    def __getitem__(self, index: "slice[Any, Any, Any]") -> list[JSON]: ...
    def __getitem__(self, index: "int | slice[Any, Any, Any]") -> JSON | list[JSON]:
        """Return one object, or some."""
        if isinstance(index, slice):
            return [self.at(each) for each in range(*index.indices(self.length))]
        if not 0 <= index < self.length:
            raise IndexError(index)
        return self.at(index)

    def since(self, is_older: Callable[[JSON], bool]) -> "NewestFirst":
        """Return the objects before the first that is older than a bound, by bisection."""
        low, high = 0, self.length
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if is_older(self.at(middle)) else (middle + 1, high)
        return NewestFirst(low, self.at, self.index_of)
