"""Wakes the readers of a job's events when its row changes.

One realtime connection to PocketBase per process, open while there are readers, for any number of
them. A change only wakes: readers read the row, so that they never show an older state after a
newer one.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from gateway.pocketbase.api import Change, PocketBaseClient, PocketBaseError

_RETRY_SECONDS = 5.0
_log = logging.getLogger(__name__)


class JobFeed:
    """The changes of all jobs."""

    def __init__(self, records: PocketBaseClient, collection: str) -> None:
        self._records = records
        self._collection = collection
        self._readers: dict[str, set[asyncio.Event]] = {}
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def listen(self, id: str) -> AsyncIterator[asyncio.Event]:
        """Provide an event that is set whenever the job may have changed."""
        changed = asyncio.Event()
        self._readers.setdefault(id, set()).add(changed)
        if self._task is None:
            self._task = asyncio.create_task(self._follow())
        try:
            yield changed
        finally:
            self._readers[id].discard(changed)
            if not self._readers[id]:
                del self._readers[id]
            if not self._readers:
                await self.close()

    async def close(self) -> None:
        """Close the connection; the next reader opens another."""
        task, self._task = self._task, None
        if task:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _follow(self) -> None:
        while True:
            try:
                await self._read()
            except PocketBaseError as error:
                # Readers also look from time to time.
                _log.info("job feed interrupted", extra={"reason": type(error).__name__})
            await asyncio.sleep(_RETRY_SECONDS)

    async def _read(self) -> None:
        jobs = self._records.collection(self._collection)
        async with jobs.subscribe(filter="kind = 'job'", fields="id") as changes:
            self.wake_all()
            async for change in changes:
                if isinstance(change, Change):
                    for each in self._readers.get(change.record["id"], ()):
                        each.set()
                else:
                    self.wake_all()

    def wake_all(self) -> None:
        """Wake every reader."""
        for readers in self._readers.values():
            for each in readers:
                each.set()
