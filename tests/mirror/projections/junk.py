"""Objects as Stripe shapes them, with junk in some of their places."""

import json
from typing import Any

from hypothesis import strategies as st

from tests.mirror.projections.golden import PAYLOADS

Json = dict[str, Any]

_ODD_TEXTS = st.sampled_from(
    ["", "NaN", "inf", "-1e999", "1970-01-01", "null", "\x00", "é", "9" * 400]
)
_ODD_NUMBERS = st.sampled_from([0, -1, 2**53, 2**63, 10**40, 1e308, -1e308, 0.5, True, False])
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
JUNK = st.recursive(
    st.none() | _ODD_TEXTS | _ODD_NUMBERS | _TEXTS | st.integers(),
    lambda some: (
        st.lists(some, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "object", "data", "price", "type", "current_period_end", "x"]),
            some,
            max_size=4,
        )
    ),
    max_leaves=8,
)
OBJECTS = [json.loads(payload.read_text())["data"]["object"] for payload in PAYLOADS]


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into an object but those of its name and id."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, item in inner:
        if (*path, key) in (("object",), ("id",)):
            continue
        found.append((*path, key))
        if isinstance(item, dict | list):
            found += _places(item, (*path, key))
    return found


@st.composite
def spoiled(draw: st.DrawFn) -> Json:
    """A real-shaped object with junk in one to four places, or with members left out."""
    item: Json = json.loads(json.dumps(draw(st.sampled_from(OBJECTS))))
    for _ in range(draw(st.integers(1, 4))):
        *path, last = draw(st.sampled_from(_places(item)))
        holder: Any = item
        for key in path:
            holder = holder[key]
        if isinstance(holder, dict) and draw(st.booleans()):
            del holder[last]
        else:
            holder[last] = draw(JUNK)
    return item
