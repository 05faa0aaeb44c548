"""The server-sent events of one job, until it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi.sse import KEEPALIVE_COMMENT

from gateway.errors import GatewayError, Overloaded, RateLimited
from gateway.jobs.events import event_id, format_event
from gateway.jobs.feed import JobFeed
from gateway.jobs.jobs import Jobs, NoSuchJob
from gateway.jobs.row import JobRow

#: Seconds without an event after which a comment keeps proxies from closing the connection.
HEARTBEAT_SECONDS = 15.0
#: The least time between two reads of one row.
_PAUSE_SECONDS = 0.2
#: A client reconnects with its Last-Event-ID after this; its token is checked again then.
_MAX_SECONDS = 1800.0
_MAX_STREAMS = 1000
_MAX_STREAMS_PER_CALLER = 20

#: As the SSE specification and nginx have it: neither stored nor held back by proxies.
HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}


class EventStreams:
    """The open event streams of this process."""

    def __init__(self, jobs: Jobs, feed: JobFeed) -> None:
        self._jobs = jobs
        self._feed = feed
        self._open: dict[str, int] = {}
        self._is_closing = False

    def close(self) -> None:
        """End all streams: clients reconnect, to another gateway or the next process."""
        self._is_closing = True
        self._feed.wake_all()

    def admit(self, caller: str) -> None:
        """Check that one more stream may be opened.

        Args:
            caller: the user's id, or a guest's address.

        Raises:
            Overloaded, RateLimited: too many are open, in all or of this caller.
        """
        if sum(self._open.values()) >= _MAX_STREAMS:
            raise Overloaded("Too many event streams are open.")
        if self._open.get(caller, 0) >= _MAX_STREAMS_PER_CALLER:
            raise RateLimited(f"At most {_MAX_STREAMS_PER_CALLER} event streams may be open.", 5)

    async def follow(self, job: JobRow, last_event_id: str, caller: str) -> AsyncIterator[bytes]:
        """Yield the job's state, each change of it, and its end.

        Args:
            job: as the caller has just read it.
            last_event_id: of the event that the client has; its state is not repeated.
        """
        async with self._count(caller), self._feed.listen(job.id) as changed:
            deadline = asyncio.get_running_loop().time() + _MAX_SECONDS
            seen = last_event_id
            # An immediate byte shows the client, and proxies, that the stream is open.
            yield KEEPALIVE_COMMENT
            while True:
                if event_id(job) != seen:
                    seen = event_id(job)
                    yield format_event(job)
                if job.is_finished or self._is_closing:
                    return
                if asyncio.get_running_loop().time() > deadline:
                    return
                if not await self._wait(changed):
                    yield KEEPALIVE_COMMENT
                try:
                    job = await self._jobs.read(job.id)
                except NoSuchJob:
                    return
                except GatewayError:
                    # PocketBase is back sooner or later.
                    await asyncio.sleep(1)

    async def _wait(self, changed: asyncio.Event) -> bool:
        """Wait for a change; return False if there was none within the time of a heartbeat."""
        await asyncio.sleep(_PAUSE_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                await changed.wait()
        is_changed = changed.is_set()
        changed.clear()
        return is_changed

    @asynccontextmanager
    async def _count(self, caller: str) -> AsyncIterator[None]:
        self._open[caller] = self._open.get(caller, 0) + 1
        try:
            yield
        finally:
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]
