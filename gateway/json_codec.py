"""Encodes and decodes JSON: orjson, and the standard library for values that orjson refuses.

Pydantic encodes its own models, `gateway.strict_json` decodes untrusted payloads, and this module
does the rest; a lint rule bans the two libraries elsewhere.
"""

import json
from contextlib import suppress
from math import isfinite
from typing import Any

import orjson

#: Refuses datetimes: `gateway.dates` formats them.
_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME


def load(text: str | bytes, *, is_exact: bool = False) -> Any:
    """Decode JSON, also with lone surrogates, and nested more deeply than orjson accepts.

    Args:
        is_exact: decode integers of more than 64 bits exactly, not as floats like PocketBase's
            hooks and browsers.

    Raises:
        ValueError: it is not JSON.
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
        errors: how to handle lone surrogates, as in `str.encode`.

    Raises:
        TypeError: JSON can't represent the value.
        ValueError: a number is not finite.
    """
    text = dump_parsed(value, errors)
    # orjson writes null for infinite numbers and NaN.
    if b"null" in text:
        _check_finite(value)
    return text


def dump_parsed(value: Any, errors: str = "replace") -> bytes:
    """Encode a value that was decoded from JSON, so that every number is finite; see `dump`."""
    try:
        return orjson.dumps(value, option=_OPTIONS)
    except TypeError:
        # An integer of more than 64 bits, or a lone surrogate, which JSON may contain.
        found = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return found.encode("utf-8", errors)


def dump_text(value: Any, *, is_indented: bool = False) -> str:
    """Encode a value as text, optionally indented."""
    if not is_indented:
        return dump(value).decode()
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2)


def dump_sorted(value: Any) -> str:
    """Encode a value with sorted keys, for digests."""
    return orjson.dumps(value, option=_OPTIONS | orjson.OPT_SORT_KEYS).decode()


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _check_finite(value: Any) -> None:
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"JSON can't represent {value}")
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return
    for each in value:
        _check_finite(each)
