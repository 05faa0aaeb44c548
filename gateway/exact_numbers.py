"""Integers beyond 2⁵³: PocketBase's API, its hooks and browsers read numbers as floats. Pure."""

from collections.abc import Mapping
from typing import Any

from gateway.json_codec import dump_text

#: Beyond it, not every integer is a float.
MAX_INTEGER = 2**53


def check_exact(value: Any, what: str) -> None:
    """Check that a JSON value has no integer that hooks or browsers would change.

    Raises:
        ValueError: it has one.
    """
    if is_inexact(value):
        raise ValueError(f"{what} have an integer beyond 2**53: write it as text")


def is_inexact(value: Any) -> bool:
    """Return whether a JSON value contains an integer beyond 2⁵³."""
    if isinstance(value, dict):
        return any(map(is_inexact, value.values()))
    if isinstance(value, list):
        return any(map(is_inexact, value))
    return isinstance(value, int) and abs(value) > MAX_INTEGER


def write_exactly(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a record so that PocketBase stores their integers unchanged.

    PocketBase stores a text in a JSON column as the JSON that it is, without reading its numbers.
    A number column is a float whichever form it gets.
    """
    return {name: write_column(value) for name, value in values.items()}


def write_column(value: Any) -> Any:
    """Return the value of one column; as JSON text if it has an integer beyond 2⁵³."""
    return dump_text(value) if is_inexact(value) else value
