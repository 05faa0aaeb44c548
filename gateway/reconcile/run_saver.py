"""Saves the state of a run while it goes on."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.reconcile.run import HEARTBEAT_SECONDS, Run, Runs

#: Minimum time between the saves of two pages.
_SAVE_SECONDS = 0.5


class RunSaver:
    """Saves a run, one save after the other, so that an older state never comes last."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._saving = asyncio.Lock()
        self._saved = 0.0

    async def save(self, run: Run, *, finish: bool = False) -> None:
        """Save the run now.

        Args:
            finish: whether the run has ended.

        Raises:
            ReconciliationDeleted: the run's row is gone.
        """
        async with self._saving:
            self._saved = time.monotonic()
            await (self._runs.finish(run) if finish else self._runs.save(run))

    async def save_page(self, run: Run) -> None:
        """Save the run after a page, unless it was saved a moment ago."""
        if time.monotonic() - self._saved > _SAVE_SECONDS:
            await self.save(run)

    @asynccontextmanager
    async def heartbeat(self, run: Run) -> AsyncIterator[None]:
        """Save the run while it waits, so that it counts as under way."""

        async def beat() -> None:
            while True:
                await asyncio.sleep(HEARTBEAT_SECONDS)
                await self.save(run)

        async with asyncio.TaskGroup() as group:
            task = group.create_task(beat())
            try:
                yield
            finally:
                task.cancel()
