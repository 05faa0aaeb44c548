"""Waiting for what happens in the background, such as event handlers."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
_POLL_SECONDS = 0.05


async def eventually(check: Callable[[], Awaitable[T]], within: float = 10.0) -> T:
    """Call an async function until it returns a true value, and return that.

    Args:
        check: polled every 50 ms.
        within: seconds.

    Raises:
        AssertionError: none was true in time; the message shows the last value.
    """
    deadline = time.monotonic() + within
    while not (found := await check()):
        if time.monotonic() > deadline:
            raise AssertionError(f"still {found!r} after {within:g} s")
        await asyncio.sleep(_POLL_SECONDS)
    return found
