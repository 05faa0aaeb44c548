"""Waiting for a condition, with an end."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
_POLL_SECONDS = 0.02


async def eventually(check: Callable[[], Awaitable[T]], within: float = 30.0) -> T:
    """Return the first true value that the awaited `check` gives.

    Raises:
        AssertionError: none came in `within` seconds.
    """
    deadline = time.monotonic() + within
    while not (value := await check()):
        assert time.monotonic() < deadline, f"not true within {within:g} s: {check}"
        await asyncio.sleep(_POLL_SECONDS)
    return value


def wait_until(check: Callable[[], T], within: float = 30.0) -> T:
    """Do the same for a check that is not awaited."""
    deadline = time.monotonic() + within
    while not (value := check()):
        assert time.monotonic() < deadline, f"not true within {within:g} s: {check}"
        time.sleep(_POLL_SECONDS)
    return value
