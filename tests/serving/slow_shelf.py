"""A transform that takes its time, and looks something up after it."""

import asyncio
from typing import Any

from gateway.records import Context, Transform


async def wait(incoming: dict[str, Any], context: Context) -> dict[str, Any]:
    """Wait, then ask PocketBase."""
    await asyncio.sleep(3)
    path = "/api/collections/letters/records"
    await context.dependencies.pocketbase.call("GET", path, query={"perPage": 1})
    return {}


TRANSFORMS = (Transform("letters", {"create"}, wait, timeout=9, may_come_later=True),)
