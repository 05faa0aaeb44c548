"""PocketBase filters with values from outside: `filter("slug = {:slug}", slug=value)`. Pure.

In PocketBase's quoted texts a backslash escapes the quote and itself.
"""

import json
import math
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

#: A quoted text of the expression, a placeholder, or a quote that is never closed.
_PARTS = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\{:(\w+)\}|['"]""", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{:\w+\}")


def filter(expression: str, /, **values: Any) -> str:
    """Return a filter in which each ``{:name}`` is replaced by its value, quoted as needed.

    A value can't end its quotes, so it is compared and never read as a part of the filter.

    Args:
        expression: a filter with placeholders, which are not in quotes:
            ``"author = {:id} && score > {:n}"``.
        values: by the names of the placeholders: text, numbers, booleans, None, and datetimes
            with a time zone; lists and dicts are compared as JSON text.

    Raises:
        ValueError: a placeholder has no value or is in quotes, a value has no placeholder, or
            PocketBase's filters can't express it: a number that is not finite, a datetime
            without a time zone.
        TypeError: a value is of a type that no field has.
    """
    unused = set(values)

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            _check_text(match[0])
            return match[0]
        if name not in values:
            raise ValueError(f"the placeholder {{:{name}}} has no value")
        unused.discard(name)
        return _write(values[name])

    found = _PARTS.sub(replace, expression)
    if unused:
        raise ValueError(f"no placeholder is named {', '.join(sorted(unused))}")
    return found


def _check_text(text: str) -> None:
    if len(text) == 1:
        raise ValueError("the expression has a quote that is not closed")
    if _PLACEHOLDER.search(text):
        raise ValueError(f"a placeholder brings its own quotes: write it without those of {text}")


def _write(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _write_number(value)
    if isinstance(value, datetime):
        return _quote(_write_time(value))
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, list | tuple | dict):
        return _quote(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    raise TypeError(f"a filter can't have a value of the type {type(value).__name__}")


def _write_number(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a number that a filter can have")
    # The scanner knows no exponents.
    return f"{value:d}" if isinstance(value, int) else f"{Decimal(repr(value)):f}"


def _write_time(value: datetime) -> str:
    """As PocketBase stores dates."""
    if value.tzinfo is None:
        raise ValueError("a datetime in a filter needs a time zone")
    return value.astimezone(UTC).isoformat(" ", "milliseconds").replace("+00:00", "Z")


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
