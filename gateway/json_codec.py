"""JSON for the whole gateway: orjson, and the standard library for what orjson has no form for.

Pydantic writes and reads its own models. Everything else goes through this module, and untrusted
payloads through `gateway.strict_json`; a lint rule bans both libraries elsewhere.
"""

import json
from contextlib import suppress
from math import isfinite
from typing import Any

import orjson

#: Dates are formatted by `gateway.dates`, never by the way.
_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME


def load(text: str | bytes, *, is_exact: bool = False) -> Any:
    """Decode JSON, also with half a character in a text, and nested more deeply than orjson reads.

    Args:
        is_exact: read integers of more than 64 bits as such; else they become floats, as
            PocketBase's hooks and browsers read them.

    Raises:
        ValueError: it is no JSON.
    """
    if not is_exact:
        with suppress(ValueError):
            return orjson.loads(text)
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def dump(value: Any, errors: str = "replace") -> bytes:
    """Encode a value without spaces.

    Args:
        errors: what becomes of half a character, as in `str.encode`.

    Raises:
        TypeError: JSON has no form for it.
        ValueError: a number is not finite.
    """
    text = dump_parsed(value, errors)
    # orjson writes null for such numbers.
    if b"null" in text:
        _check_finite(value)
    return text


def dump_parsed(value: Any, errors: str = "replace") -> bytes:
    """Encode a value that consists of decoded JSON, where every number is finite; see `dump`."""
    try:
        return orjson.dumps(value, option=_OPTIONS)
    except TypeError:
        # A whole number of more than 64 bits, or half a character, which JSON may have.
        found = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return found.encode("utf-8", errors)


def dump_text(value: Any, *, is_indented: bool = False) -> str:
    """Encode a value as text, on request with a line per member."""
    if not is_indented:
        return dump(value).decode()
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2)


def dump_sorted(value: Any) -> str:
    """Encode a value with sorted keys, as digests need it."""
    return orjson.dumps(value, option=_OPTIONS | orjson.OPT_SORT_KEYS).decode()


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _check_finite(value: Any) -> None:
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"{value} has no form in JSON")
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return
    for each in value:
        _check_finite(each)
