"""Finds the newest of several states of one Stripe object: docs/decisions/003-ordering.md. Pure.

Stripe's clock has whole seconds, so several states may share one. Within a second the kind of the
event, the object's progress and ``previous_attributes`` decide, or the order stays unknown.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.rows import Row, Version
from gateway.stripe_api.event import Event


@dataclass(frozen=True, slots=True)
class State:
    """The state of an object in an event, as a row."""

    event: Event
    row: Row

    @property
    def version(self) -> Version:
        """The version that a row written from this event carries."""
        event, row = self.event, self.row
        # Nothing can happen to an object before it is created.
        rank = 0 if event.type.endswith(".created") else row.rank
        return Version(int(row.final), event.created, event.created, rank, event.stripe_id)

    @property
    def order(self) -> tuple[str, int, int, int]:
        """The sort key that orders most states: the object's birth, finality, second, rank.

        Coupons and products may be created again under the id of a deleted one.
        """
        version = self.version
        return str(self.row.values.get("created")), version.final, version.as_of, version.rank


def latest(states: Sequence[State]) -> State | None:
    """Return the object's state after all of these events, None if they do not show it.

    Duplicates are allowed. The answer is certain only if every event of that second is present, so
    it is computed again with each event that arrives.
    """
    if len(states) == 1:
        return states[0]
    best = max(state.order for state in states)
    top = list({state.event.stripe_id: state for state in states if state.order == best}.values())
    if all(_is_same(state.row, top[0].row) for state in top):
        return top[0]
    return _end_of_trail(top)


def _is_same(row: Row, other: Row) -> bool:
    return row.values == other.values and row.object == other.object


def _end_of_trail(states: Sequence[State]) -> State | None:
    """Follow the events as steps from the object before to the object after.

    Steps that follow one another form a trail. Its end is the state that is entered once more than
    it is left, whatever the order of the steps. A trail with gaps, or one that ends where it began,
    has no known end. Events without ``previous_attributes`` must all lead to that end.
    """
    steps = [(_before(state.event), _freeze(state.event.object)) for state in states]
    known = [(before, after) for before, after in steps if before is not None]
    balance = Counter(after for _, after in known)
    balance.subtract(before for before, _ in known)
    ends = [node for node, surplus in balance.items() if surplus > 0]
    if len(ends) != 1 or balance[ends[0]] != 1 or not _is_connected(known):
        return None
    if any(after != ends[0] for before, after in steps if before is None):
        return None
    return next(state for state, (_, after) in zip(states, steps, strict=True) if after == ends[0])


def _is_connected(steps: Sequence[tuple[Any, Any]]) -> bool:
    reached = {steps[0][0]}
    for _ in steps:
        for before, after in steps:
            if before in reached or after in reached:
                reached |= {before, after}
    return all(before in reached for before, _ in steps)


def _before(event: Event) -> Any:
    """Return the object before the event, None if the event has no previous_attributes."""
    if event.previous is None:
        return None
    return _freeze(_overlay(event.object, event.previous))


def _overlay(current: Any, previous: Any) -> Any:
    """Stripe gives hashes in part and arrays whole; null stands for a key that was not there."""
    if not isinstance(current, dict) or not isinstance(previous, dict):
        return previous
    merged = dict(current)
    for key, value in previous.items():
        merged[key] = _overlay(current.get(key), value)
    return merged


def _freeze(value: Any) -> Any:
    """A hashable twin in which null and absent are the same."""
    if isinstance(value, dict):
        return frozenset((key, _freeze(item)) for key, item in value.items() if item is not None)
    if isinstance(value, list):
        return tuple(_freeze(item) for item in value)
    return (type(value).__name__, value) if isinstance(value, bool) else value
