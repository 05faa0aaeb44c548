"""Converts strings of a form to the types of the schema."""

from typing import Any

from stripe_simulator.snapshots import JSON


def coerce(value: Any, schema: JSON) -> Any:
    """Return the value with the schema's types wherever they fit; what fits nothing stays."""
    if "anyOf" in schema:
        return _any(value, schema["anyOf"])
    if isinstance(value, dict):
        return _hash(value, schema)
    if isinstance(value, list):
        return [coerce(item, schema.get("items") or {}) for item in value]
    return _scalar(value, schema.get("type"))


def _any(value: Any, branches: list[JSON]) -> Any:
    for branch in branches:
        if isinstance(value, str) and value in branch.get("enum", ()):
            return value
    wanted = {"dict": "object", "list": "array"}.get(type(value).__name__)
    for branch in branches:
        if wanted is None or branch.get("type") == wanted:
            coerced = coerce(value, branch)
            if wanted is not None or not isinstance(coerced, str):
                return coerced
    return value


def _hash(value: JSON, schema: JSON) -> JSON:
    named = schema.get("properties") or {}
    other = schema.get("additionalProperties")
    rest = other if isinstance(other, dict) else {}
    return {key: coerce(inner, named.get(key, rest)) for key, inner in value.items()}


def _scalar(text: Any, kind: str | None) -> Any:
    if not isinstance(text, str):
        return text
    if kind == "integer" and text.lstrip("-").isdigit():
        return int(text)
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    if kind == "number":
        try:
            return float(text)
        except ValueError:
            return text
    return text
