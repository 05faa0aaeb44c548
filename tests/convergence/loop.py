"""An event loop in a thread of its own, for tests that are not coroutines."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")


class Loop:
    """Runs coroutines to their end, one call after the other, with servers going on beside."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], within: float = 60) -> T:
        """Return what a coroutine returns."""
        return self.start(work).result(within)

    def start(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Let a coroutine run on."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
