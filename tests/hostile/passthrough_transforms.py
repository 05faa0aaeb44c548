"""Transforms that let everything pass, for unexpected values."""

import asyncio
from typing import Any

from pydantic import BaseModel, ConfigDict

from gateway import Gateway
from gateway.transforms import Transform, TransformContext


class Strict(BaseModel):
    """A form with three fields."""

    model_config = ConfigDict(strict=True)

    text: str
    number: float = 0
    sent: list[str] = []


def keep(incoming: dict[str, Any], context: TransformContext) -> dict[str, Any]:
    """Return everything that came in, and whether it was a field that was sent."""
    return incoming | {"sent": sorted(context.sent)}


def obey(incoming: dict[str, Any], context: TransformContext) -> dict[str, Any]:
    """Return the value of the field `json`."""
    return dict(incoming["json"])


def note(incoming: Strict, context: TransformContext) -> Strict:
    """Note which fields were sent."""
    return incoming.model_copy(update={"sent": sorted(context.sent)})


async def double(incoming: dict[str, Any], context: TransformContext) -> dict[str, Any]:
    """Compute one field from another, asynchronously."""
    await asyncio.sleep(0)
    return {"number": len(incoming["text"])}


async def hang(incoming: dict[str, Any], context: TransformContext) -> None:
    """Create a record, and never return."""
    await context.pocketbase.collection("elsewhere").create({"text": incoming["text"]})
    await asyncio.Event().wait()


TRANSFORMS = (
    Transform("passthrough", {"create"}, keep, may_come_later=True),
    Transform("passthrough", {"update"}, obey, may_come_later=True),
    Transform("changed", {"create", "update"}, keep, may_come_later=True),
    Transform("strict", {"create"}, note, Strict, may_come_later=True),
    Transform("computed", {"create", "update"}, double, may_come_later=True),
    Transform("hung", {"create"}, hang, timeout=8, may_come_later=True),
)

app = Gateway()
for _transform in TRANSFORMS:
    app.add_transform(_transform)
