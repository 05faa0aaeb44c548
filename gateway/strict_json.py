"""Decodes JSON of others strictly: whatever two readers could take differently is refused. Pure."""

import json
from math import isfinite
from typing import Any

import orjson


def load_strictly(payload: str) -> tuple[Any, str]:
    """Decode JSON strictly; return what it says, and its text as it is to be stored.

    What is written as the very text that it was read from, in Stripe's own layout or as it is
    stored, hides nothing, and a third of Stripe's layout is spaces. Anything else is read by a
    decoder that sees every key, ten times slower.

    Raises:
        ValueError, RecursionError: see `describe_error`.
    """
    try:
        body = orjson.loads(payload)
        dense, given = orjson.dumps(body), payload.encode()
        if given == dense or given == orjson.dumps(body, option=orjson.OPT_INDENT_2):
            return body, dense.decode()
    except (ValueError, TypeError):  # No JSON, or nested more deeply than orjson writes.
        pass
    body = _DECODER.decode(payload)
    _refuse_surrogates(payload, body)
    return body, payload


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Readers differ in which of two equal keys they believe, so neither is."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _read_float(number: str) -> float:
    found = float(number)
    if not isfinite(found):
        raise ValueError(f"{number[:20]} is too large")
    return found


def _read_int(number: str) -> int:
    """PocketBase's hooks, and browsers, read every number as a float."""
    _read_float(number)
    return int(number)


def _refuse_surrogates(payload: str, body: Any) -> None:
    """Half a character, escaped, is JSON by the letter, but no text that can be stored."""
    if "\\ud" in payload or "\\uD" in payload:
        try:
            json.dumps(body, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("a text has half a character") from None


def describe_error(error: Exception) -> str:
    """Return why a text was refused, without the text."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_constant=_refuse_constant,
    parse_float=_read_float,
    parse_int=_read_int,
)
