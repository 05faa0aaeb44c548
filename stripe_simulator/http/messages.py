"""Requests and answers as values, so that the API needs no server."""

import json
from dataclasses import dataclass, field
from typing import Any

import orjson

from stripe_simulator.snapshots import JSON


@dataclass(frozen=True, slots=True)
class Request:
    """One API request; header names are lower-case."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """One API answer."""

    status: int
    body: JSON
    headers: dict[str, str] = field(default_factory=dict)


def write(value: JSON) -> bytes:
    """Write JSON with an indent of two and in ASCII, as Stripe does."""
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2)
    return text if text.isascii() else pretty(value).encode()


_string = json.encoder.encode_basestring_ascii


def pretty(value: Any, line: str = "\n") -> str:
    """Write JSON with an indent of two as Stripe does, faster than the standard library."""
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, dict):
        deeper = line + "  "
        inner = ",".join([f"{deeper}{_string(k)}: {pretty(v, deeper)}" for k, v in value.items()])
        return f"{{{inner}{line}}}" if inner else "{}"
    if isinstance(value, list):
        deeper = line + "  "
        inner = ",".join([f"{deeper}{pretty(v, deeper)}" for v in value])
        return f"[{inner}{line}]" if inner else "[]"
    return json.dumps(value)
