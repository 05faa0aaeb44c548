"""A check that concurrent callers share, so that many calls cost one request."""

import asyncio
import time
from collections.abc import Awaitable, Callable


class SharedCheck:
    """Concurrent callers share one run; a success is cached for some seconds."""

    def __init__(self, check: Callable[[], Awaitable[None]], hold_seconds: float = 0.0) -> None:
        self._check = check
        self._hold_seconds = hold_seconds
        self._holds_until = 0.0
        self._running: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Run the check, or wait for the run that is under way.

        Raises:
            GatewayError: what the check raised.
        """
        if time.monotonic() < self._holds_until:
            return
        if self._running is None:
            self._running = asyncio.create_task(self._run())
            self._running.add_done_callback(self._finish)
        # A caller that disconnects must not cancel the run of the others.
        await asyncio.shield(self._running)

    async def _run(self) -> None:
        await self._check()
        self._holds_until = time.monotonic() + self._hold_seconds

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._running = None
        if not task.cancelled():
            task.exception()  # Read, so that asyncio does not log it when every caller has gone.
