"""Integers beyond 2⁵³: PocketBase's hooks and browsers read numbers as floats. Pure."""

from typing import Any

#: Beyond it, not every integer is a float.
_MAX_INTEGER = 2**53


def check_exact(value: Any, what: str) -> None:
    """Check that a JSON value has no integer that hooks or browsers would change.

    Raises:
        ValueError: it has one.
    """
    if is_inexact(value):
        raise ValueError(f"{what} have an integer beyond 2**53: write it as text")


def is_inexact(value: Any) -> bool:
    """Whether a JSON value contains an integer beyond 2⁵³."""
    if isinstance(value, dict):
        return any(map(is_inexact, value.values()))
    if isinstance(value, list):
        return any(map(is_inexact, value))
    return isinstance(value, int) and abs(value) > _MAX_INTEGER
