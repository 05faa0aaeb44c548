"""Histories of one customer within one second, as Stripe would report them."""

from copy import deepcopy
from itertools import count, pairwise
from typing import Any

from hypothesis import strategies as st

from gateway.mirror.event_change import project
from gateway.mirror.ordering import State
from gateway.stripe_api.event import Event

Json = dict[str, Any]
SECOND = 1_793_491_200

_TEXTS = st.sampled_from([None, "a", "b"])
_HASHES = st.one_of(st.none(), st.dictionaries(st.sampled_from("xyz"), st.sampled_from("12")))
#: `invoice_prefix` and `shipping` are in no column, the others are.
_CUSTOMERS = st.fixed_dictionaries(
    {},
    optional={
        "name": _TEXTS,
        "phone": _TEXTS,
        "delinquent": st.booleans(),
        "metadata": _HASHES,
        "address": _HASHES,
        "invoice_prefix": _TEXTS,
        "shipping": st.one_of(st.none(), st.fixed_dictionaries({"address": _HASHES})),
    },
)


def replaced(before: Json, after: Json) -> Json:
    """Return `previous_attributes`: hashes in part, null for a key that was not there."""
    found: Json = {}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old == new and type(old) is type(new):
            continue
        both = isinstance(old, dict) and isinstance(new, dict)
        found[key] = replaced(old, new) if both else old
    return found


def state(number: int, item: Json, previous: Json | None, type: str = "customer.updated") -> State:
    """Return the state that an event about a customer shows."""
    whole = {"id": "cus_1", "object": "customer", **deepcopy(item)}
    event = Event(
        stripe_id=f"evt_{number}",
        type=type,
        created=SECOND,
        object=whole,
        previous=previous,
        account="",
        api_version="",
        livemode=False,
        is_thin=False,
        payload="",
    )
    return State(event, project(whole).row)


@st.composite
def walks(draw: st.DrawFn, *, silent: bool = False) -> list[State]:
    """A history in order; if `silent`, some events do not say what they replaced.

    Few different customers, so that histories often come back to where they were.
    """
    stops = draw(st.lists(_CUSTOMERS, min_size=2, max_size=4))
    path = draw(st.lists(st.sampled_from(stops), min_size=2, max_size=7))
    told = st.booleans() if silent else st.just(True)
    numbers = count(1)
    return [
        state(next(numbers), after, replaced(before, after) if draw(told) else None)
        for before, after in pairwise(path)
        if replaced(before, after)
    ]
