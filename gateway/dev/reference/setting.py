"""One setting with its description, read from the JSON schema of its class."""

import json
from dataclasses import dataclass
from typing import Any, Self

#: Limits of numbers in JSON schemas.
_LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
}
_TYPES = {
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "string": "text",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting by the name of its environment variable."""

    name: str
    #: The docstring: paragraphs, and code that is indented by four spaces.
    text: str
    #: The default as the variable's text, "" if there is none or it is empty.
    default: str
    #: Whether it has no default; compose.yaml then needs it too.
    is_required: bool
    #: The type and limits, in Markdown.
    values: str
    #: The allowed values (of a list: of its parts), () if they can't be enumerated.
    choices: tuple[str, ...]
    reader: str

    @classmethod
    def of(cls, field: str, schema: dict[str, Any], reader: str) -> Self:
        """Return the setting of a class's field.

        Raises:
            ValueError: the field has no docstring.
        """
        found = schema["properties"][field]
        if not found.get("description"):
            raise ValueError(f"{field} needs a docstring below it that describes the setting")
        return cls(
            name=field.upper(),
            text=found["description"].strip(),
            default=_write(found.get("default")),
            is_required=field in schema.get("required", ()),
            values=_describe_values(_leave_none(found)),
            choices=_read_choices(_leave_none(found)),
            reader=reader,
        )


def _write(default: Any) -> str:
    if isinstance(default, list):
        return ",".join(map(_write, default))
    if default is None or isinstance(default, str):
        return default or ""
    return f"{default:g}" if isinstance(default, float) else json.dumps(default)


def _leave_none(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of `X | None` as that of X."""
    kinds: list[dict[str, Any]] = schema.get("anyOf", [schema])
    return next(kind for kind in kinds if kind.get("type") != "null")


def _read_choices(schema: dict[str, Any]) -> tuple[str, ...]:
    return tuple(schema.get("items", schema).get("enum", ()))


def _describe_values(schema: dict[str, Any]) -> str:
    """Return the type, allowed values and limits in Markdown."""
    choices = ", ".join(f"`{choice}`" for choice in _read_choices(schema))
    if schema.get("type") == "array":
        return f"comma-separated list of {choices}" if choices else "comma-separated list"
    if choices:
        return f"one of {choices}"
    if schema.get("format") == "path":
        return "path"
    limits = [text.format(f"{schema[key]:.15g}") for key, text in _LIMITS.items() if key in schema]
    return ", ".join([_TYPES[schema["type"]], *limits])
