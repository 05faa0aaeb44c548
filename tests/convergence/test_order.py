"""Which of several states is the latest: never a wrong answer, and seldom none."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.mirror.event_change import project
from gateway.mirror.ordering import State, latest
from tests.convergence.walks import SECOND, replaced, state, walks


def _deliver(draw: st.DataObject, history: Sequence[State]) -> list[State]:
    """Any order, some of them twice or thrice."""
    twice = draw.draw(st.lists(st.sampled_from(history), max_size=4))
    return draw.draw(st.permutations([*history, *twice]))


@given(walks(), st.data())
def test_whole_second(history: list[State], data: st.DataObject) -> None:
    """Of all events of a second, in any order and repeated, the answer is the last or none."""
    assume(history)

    found = latest(_deliver(data, history))

    assert found is None or found.row.values == history[-1].row.values


@given(walks(silent=True), st.data())
def test_silent_events(history: list[State], data: st.DataObject) -> None:
    """Events that do not say what they replaced never lead to a wrong answer."""
    assume(history)

    found = latest(_deliver(data, history))

    assert found is None or found.row.values == history[-1].row.values


@given(st.permutations(range(6)))
def test_straight_line(order: list[int]) -> None:
    """A second in which no state comes back is always told, without asking Stripe."""
    items = [{"name": str(step)} for step in range(7)]
    history = [
        state(i, after, replaced(before, after))
        for i, (before, after) in enumerate(pairwise(items))
    ]

    found = latest([history[i] for i in order])

    assert found is history[-1]


def test_share_of_answers() -> None:
    """Of seeded seconds with two to six changes, most are told without asking Stripe."""
    random = Random(1)
    asked = [latest(_shuffled(random)) is None for _ in range(2000)]

    assert sum(asked) / len(asked) < 0.15


def _shuffled(random: Random) -> list[State]:
    """Changes of three fields with three values each: one in nine goes back at once."""
    items: list[dict[str, Any]] = [{"name": "0", "phone": "0", "metadata": {"k": "0"}}]
    for _ in range(random.randint(2, 6)):
        field, value = random.choice(["name", "phone", "metadata"]), random.choice("012")
        change = {"k": value} if field == "metadata" else value
        if items[-1][field] != change:
            items.append({**items[-1], field: change})
    pairs = list(pairwise(items))
    history = [state(i, new, replaced(old, new)) for i, (old, new) in enumerate(pairs)]
    return random.sample(history, len(history)) or [state(0, items[0], None)]


def _updated(at: int, **item: Any) -> State:
    found = state(at, item, None)
    return State(replace(found.event, created=at), found.row)


def _deleted(at: int, **item: Any) -> State:
    found = state(0, item, None, "customer.deleted")
    row = project(found.event.object, deleted=True).row
    return State(replace(found.event, created=at), row)


def test_newer_second_wins() -> None:
    """The state of the later second is the latest, in any order."""
    old, new = _updated(SECOND, name="old"), _updated(SECOND + 1, name="new")

    assert latest([old, new]) is new
    assert latest([new, old]) is new


def test_created_is_first() -> None:
    """In its second, `created` comes before everything else."""
    created = state(2, {"name": "a"}, None, "customer.created")
    updated = state(1, {"name": "b"}, None)

    assert latest([updated, created]) is updated


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_deletion_is_last(late: int) -> None:
    """An update never beats a deletion, not even with a later time."""
    deleted, updated = _deleted(SECOND, created=5), _updated(SECOND + late, created=5)

    assert latest([deleted, updated]) is deleted
    assert latest([updated, deleted]) is deleted


def test_made_again() -> None:
    """An object created again under a deleted object's id is a later object."""
    deleted, again = _deleted(SECOND, created=5), _updated(SECOND + 9, created=SECOND + 9)

    assert latest([deleted, again]) is again
    assert latest([again, deleted]) is again


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"metadata": {"k": "1"}}, {"metadata": {}}),
        ({"metadata": {}}, {"metadata": {"k": "1"}}),
        ({"address": None}, {"address": {"x": "1"}}),
        ({"address": {"x": "1"}}, {"address": None}),
        ({"name": None}, {"name": "a"}),
        ({}, {"name": "a"}),
        ({"delinquent": False}, {"delinquent": True}),
        ({"balance": 1}, {"balance": 0}),
        ({"shipping": {"address": {"x": "1"}}}, {"shipping": {"address": {"x": "2", "y": "1"}}}),
        ({"list": [{"id": 1}]}, {"list": [{"id": 1}, {"id": 2}]}),
    ],
)
def test_each_kind_of_change(before: dict[str, Any], after: dict[str, Any]) -> None:
    """A change to and fro and on is told for keys that come and go, hashes, lists and truths."""
    history = [
        state(1, before, replaced({"name": "start"} | after, before)),
        state(2, after, replaced(before, after)),
        state(3, {**after, "phone": "9"}, replaced(after, {**after, "phone": "9"})),
    ]

    found = latest([history[2], history[0], history[1]])

    assert found is not None
    assert found.row.values == history[2].row.values
