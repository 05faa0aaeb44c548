"""A transform that takes its time, and looks something up after it."""

import asyncio
from typing import Any

from gateway import Gateway
from gateway.transforms import Transform, TransformContext


async def wait(incoming: dict[str, Any], context: TransformContext) -> dict[str, Any]:
    """Wait, then ask PocketBase."""
    await asyncio.sleep(3)
    await context.pocketbase.collection("letters").list(per_page=1)
    return {}


TRANSFORMS = (Transform("letters", {"create"}, wait, timeout=9, may_come_later=True),)

app = Gateway()
for _transform in TRANSFORMS:
    app.add_transform(_transform)
