"""Work beside the requests, for as long as the gateway serves them."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any


@asynccontextmanager
async def run_meanwhile(work: Coroutine[Any, Any, Any]) -> AsyncIterator[None]:
    """Run something while the block runs, and break it off at its end."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
