"""PocketBase filters with values from outside: `filter("slug = {:slug}", slug=value)`. Pure.

In PocketBase's quoted texts a backslash escapes the quote and itself.
"""

import re
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from gateway.dates import day_to_column, to_column
from gateway.exact_numbers import MAX_INTEGER
from gateway.json_codec import dump_text
from gateway.pocketbase.values import InvalidValue, check_number, check_text

#: A quoted text of the expression, a placeholder, or a quote that is never closed.
_PARTS = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\{:(\w+)\}|['"]""", re.DOTALL)
#: Of a pattern, and what escapes them.
_WILDCARDS = re.compile(r"[\\%_]")
_PLACEHOLDER = re.compile(r"\{:\w+\}")


def filter(expression: str, /, **values: Any) -> str:
    """Return a filter in which each ``{:name}`` is replaced by its value, quoted as needed.

    A value can't end its quotes, so it is compared and never read as a part of the filter.

    Args:
        expression: a filter with placeholders, which are not in quotes:
            ``"author = {:id} && score > {:n}"``.
        values: by the names of the placeholders: text, numbers, booleans, None, dates, datetimes
            with a time zone, enum members and UUIDs; lists and dicts are compared as JSON text.
            After ``~`` and ``!~`` a text is searched for as it is: its ``%`` and ``_`` are
            escaped. A date is the start of its day in UTC.

    Raises:
        InvalidValue: PocketBase's filters can't express a value: a number that is not finite or
            not exact, a null character, a lone surrogate. A ValueError, and the gateway's 400.
        ValueError: a placeholder has no value or is in quotes, a value has no placeholder, or a
            datetime no time zone.
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
        value = values[name]
        is_pattern = expression[: match.start()].rstrip().endswith("~")
        if is_pattern and isinstance(value, str):
            value = _WILDCARDS.sub(r"\\\g<0>", value)
        return _write(value)

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
    if isinstance(value, Enum):
        return _write(value.value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _write_number(value)
    if isinstance(value, datetime):
        return _quote(to_column(value))
    if isinstance(value, date):
        return _quote(day_to_column(value))
    if isinstance(value, str | UUID):
        return _quote(str(value))
    if isinstance(value, Decimal):
        return _write_number(value)
    if isinstance(value, list | tuple | dict):
        return _quote(dump_text(value))
    raise TypeError(f"a filter can't have a value of the type {type(value).__name__}")


def _write_number(value: float | Decimal) -> str:
    check_number(float(value))
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:  # PocketBase would compare the nearest float.
            raise InvalidValue(f"{value} is not exact as a number of PocketBase, which is a float.")
        return f"{value:d}"
    # The scanner knows no exponents.
    return f"{value if isinstance(value, Decimal) else Decimal(repr(value)):f}"


def _quote(text: str) -> str:
    if "\0" in text:
        raise InvalidValue("A filter can't have a null character.")
    check_text(text)
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
