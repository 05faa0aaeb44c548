"""Stored values of a job are read unchanged."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.jobs.state import JobState, to_json, unwrap, wrap
from gateway.json_codec import dump, load

_FLOATS = st.floats(allow_nan=False, allow_infinity=False)
_LEAVES = st.none() | st.booleans() | st.integers() | _FLOATS
_KEYS = st.text(st.characters(codec="utf-8"), max_size=5) | st.just("gateway:json")
_VALUES = st.recursive(
    _LEAVES | st.text(st.characters(codec="utf-8"), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)


def _through_hooks(value: Any) -> Any:
    """Return JSON as PocketBase's hooks pass it on: every number is a float."""
    if isinstance(value, dict):
        return {name: _through_hooks(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_through_hooks(each) for each in value]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) < 1e300 else value


@given(_VALUES)
def test_any_value_survives_the_hooks(value: Any) -> None:
    """Numbers keep their value, whatever their size; a value like a wrapped one is no exception."""
    stored = load(dump(wrap(to_json(value))), is_exact=True)
    assert unwrap(_through_hooks(stored)) == to_json(value)


@given(st.dictionaries(_KEYS, _VALUES, max_size=3))
def test_state_comes_back(steps: dict[str, Any]) -> None:
    """Results of steps, cursors and memory."""
    state = JobState(to_json(steps), {"orders": "abc"}, {"count": 2**70})
    stored = _through_hooks(load(dump(state.to_json()), is_exact=True))
    assert JobState.read(stored) == state
