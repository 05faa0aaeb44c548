"""A check shared by concurrent callers, so that many calls cost one request."""

import asyncio
import time
from collections.abc import Awaitable, Callable


class SharedCheck:
    """Concurrent callers share one run; a success is cached for some seconds."""

    def __init__(self, check: Callable[[], Awaitable[None]], cache_seconds: float = 0.0) -> None:
        self._check = check
        self._cache_seconds = cache_seconds
        self._cached_until = 0.0
        self._running: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Run the check, or wait for the current run.

        Raises:
            GatewayError: as the check.
        """
        if time.monotonic() < self._cached_until:
            return
        if self._running is None:
            self._running = asyncio.create_task(self._run())
            self._running.add_done_callback(self._finish)
        # A caller that disconnects must not cancel the run for the others.
        await asyncio.shield(self._running)

    async def _run(self) -> None:
        await self._check()
        self._cached_until = time.monotonic() + self._cache_seconds

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._running = None
        if not task.cancelled():
            task.exception()  # Retrieved, so that asyncio does not log it without callers.
