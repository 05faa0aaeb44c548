"""Transforms that make the mistake named by a record's title."""

import asyncio
import sys
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict

from gateway import Gateway
from gateway.transforms import FieldErrors, Refused, Transform, TransformContext


class Strict(BaseModel):
    """It forbids the columns that it does not have."""

    model_config = ConfigDict(extra="forbid")
    title: str


class Named(BaseModel):
    """A model that the function itself uses wrongly."""

    title: str
    count: int = 0


def _raise(error: BaseException) -> Any:
    raise error


def _nest() -> Any:
    value: list[Any] = []
    for _ in range(5000):
        value = [value]
    return {"seen": value}


def _loop() -> Any:
    value: list[Any] = []
    value.append(value)
    return {"seen": value}


MISTAKES: dict[str, Callable[[], Any]] = {
    "errors as text": lambda: _raise(FieldErrors({"title": "Wrong."})),  # type: ignore[dict-item]
    "errors of three": lambda: _raise(FieldErrors({"title": ("a", "b", "c")})),  # type: ignore[dict-item]
    "errors of numbers": lambda: _raise(FieldErrors({"title": (1, 2)})),  # type: ignore[dict-item]
    "errors of none": lambda: _raise(FieldErrors({"title": ("code", None)})),  # type: ignore[dict-item]
    "no errors": lambda: _raise(FieldErrors({})),
    "errors as a list": lambda: _raise(FieldErrors(["title"])),  # type: ignore[arg-type]
    "a refusal of 418": lambda: _raise(Refused("No.", 418)),  # type: ignore[arg-type]
    "a refusal of 200": lambda: _raise(Refused("No.", 200)),  # type: ignore[arg-type]
    "a refusal without words": lambda: _raise(Refused("")),
    "a refusal by an object": lambda: _raise(Refused(object())),  # type: ignore[arg-type]
    "an object": lambda: {"seen": object()},
    "bytes": lambda: {"seen": b"\xff"},
    "half a character": lambda: {"body": "\ud800"},
    "half a name": lambda: {"\ud800": "x"},
    "not a number": lambda: {"count": float("nan")},
    "infinity": lambda: {"count": float("-inf")},
    "a huge number": lambda: {"count": 10**400},
    "deep": _nest,
    "a loop": _loop,
    "a list": lambda: ["title"],
    "a text": lambda: "title",
    "a number": lambda: 7,
    "an unknown field": lambda: {"titel": "x"},
    "an autodate": lambda: {"created": "2026-01-01 00:00:00.000Z"},
    "the id": lambda: {"id": "anotherid000000"},
    "a file": lambda: {"image": "invented.png"},
    "its own model": lambda: Named.model_validate({"title": "x", "count": "many"}),
    "no option of a select": lambda: {"kind": "z"},
    "a text that is too long": lambda: {"short": "x" * 50},
    "an option that is not sent, too": lambda: {"kind": "z", "short": "fine"},
    "an exit": lambda: sys.exit(3),
    "a cancellation": lambda: _raise(asyncio.CancelledError()),
}


async def err(incoming: Named, context: TransformContext) -> Any:
    """Make the mistake."""
    if incoming.title == "a slug":
        return {"slug": "taken"}
    mistake = MISTAKES.get(incoming.title)
    return mistake() if mistake else None


TRANSFORMS = (
    Transform("faults", {"create", "update"}, err, Named, may_come_later=True),
    Transform(
        "stricts", {"create", "update"}, lambda incoming, context: None, Strict, may_come_later=True
    ),
)

app = Gateway()
for _transform in TRANSFORMS:
    app.add_transform(_transform)
