"""The context of a job's function: progress, steps, pages and clients."""

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import stripe

from gateway.errors import GatewayError
from gateway.exact_numbers import check_exact
from gateway.jobs.state import JobState, check_size, to_json
from gateway.pocketbase import filter as build_filter
from gateway.pocketbase.api import PocketBaseClient
from gateway.pocketbase.api.paths import Names
from gateway.rows import Json
from gateway.settings import Settings
from gateway.work.handler import SaveItem

#: Seconds between two writes of progress; in between, the newest one waits.
_PROGRESS_SECONDS = 0.5
_PAGE_RECORDS = 200


@dataclass(slots=True, kw_only=True)
class JobContext:
    """The context of one attempt of a job."""

    #: The id of the job, the same in every attempt: use it as an idempotency key, with the name of
    #: a step after it where a job has several effects.
    key: str
    #: The id of the user who started it; "" for a guest or the gateway itself.
    user: str
    #: From 1.
    attempt: int
    #: Calls PocketBase as the gateway's superuser.
    pocketbase: PocketBaseClient
    stripe: stripe.StripeClient
    settings: Settings
    #: The mapping that the app's lifespan yields.
    state: Mapping[str, Any] = field(default_factory=dict)
    _save: SaveItem = field(repr=False)
    _done: JobState = field(default_factory=JobState, repr=False)
    _used: set[str] = field(default_factory=set, repr=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    _pending: Json | None = field(default=None, repr=False)
    _written_at: float = field(default=float("-inf"), repr=False)
    _flusher: "asyncio.Task[None] | None" = field(default=None, repr=False)

    @property
    def memory(self) -> Json:
        """A dict of JSON values for counts and sums, stored with each step, page and `save`.

        After a crash it has the values of the last finished step or page, so that what a page adds
        is added once.
        """
        return self._done.memory

    async def save(self) -> None:
        """Store `memory` now.

        Raises:
            ValueError: JSON can't represent a value, or it is larger than 500 kB.
        """
        await self._write(self._done.to_json())

    async def progress(
        self, fraction: float | None = None, message: str = "", **details: Any
    ) -> None:
        """Show progress: in the job's row, at GET /jobs/{id} and in its events.

        At most two changes per second are written; of those in between, the newest.

        Args:
            fraction: from 0 to 1; None if it is not known.
            message: a text for the user.
            details: further members, such as counts.

        Raises:
            ValueError: the fraction is out of range, or JSON can't represent a detail.
            CancelledError: the job was cancelled, or another process has taken it over.
        """
        if fraction is not None and not 0 <= fraction <= 1:
            raise ValueError(f"fraction is {fraction}, but must be from 0 to 1")
        self._pending = to_json({"fraction": fraction, "message": message, **details})
        check_size(self._pending, "the members of progress")
        check_exact(self._pending, "the members of progress")
        left = self._written_at + _PROGRESS_SECONDS - time.monotonic()
        if left <= 0:
            await self._write()
        elif self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._write_later(left))

    async def step(self, name: str, function: Callable[..., Any], /, *args: Any) -> Any:
        """Call a function once per job, and return its result.

        The result is stored before it is returned; a later attempt returns it without a call. A
        process that dies between the call and the storing repeats the call, so give effects outside
        an idempotency key: ``f"{job.key}:{name}"``.

        Args:
            name: identifies the step; each attempt may use it once.
            function: async, or a plain function, which runs in a thread.
            args: for the function; a later attempt ignores them.

        Returns:
            The result as JSON: a model or dataclass becomes a dict, a datetime a text.

        Raises:
            ValueError: the name was used before, JSON can't represent the result, or the results
                of all steps are larger than 500 kB.
        """
        if name in self._used:
            raise ValueError(f"the step {name} was called before: give each step its own name")
        self._used.add(name)
        if name in self._done.steps:
            return self._done.steps[name]
        result = to_json(await _call(function, *args))
        self._done.steps[name] = result
        await self._write(self._done.to_json())
        return result

    async def pages(
        self,
        collection: str,
        *,
        filter: str = "",
        expand: Names | None = None,
        fields: Names | None = None,
        size: int = _PAGE_RECORDS,
        name: str = "",
    ) -> AsyncIterator[list[Json]]:
        """Yield the records of a collection page by page, each page once per job.

        The cursor is stored when the next page is asked for: a process that dies in the middle of a
        page repeats that page, and no earlier one. The order is by id.

        Args:
            filter: only records that match; with values, use `gateway.filter`.
            expand: relations whose records come along.
            fields: members to read; ``id`` is added.
            size: records per page, from 1 to 1000.
            name: of the cursor; by default the collection's. Needed for two passes over one
                collection.
        """
        cursor = name or collection
        if f"pages:{cursor}" in self._used:
            raise ValueError(f"the pages {cursor} were read before: name each pass over them")
        self._used.add(f"pages:{cursor}")
        records = self.pocketbase.collection(collection)
        while True:
            after = build_filter("id > {:id}", id=self._done.cursors.get(cursor, ""))
            page = await records.list(
                per_page=size,
                filter=f"({filter}) && {after}" if filter else after,
                sort="id",
                expand=expand,
                fields=_with_id(fields),
                skip_total=True,
            )
            if not page.items:
                return
            yield page.items
            self._done.cursors[cursor] = page.items[-1]["id"]
            await self._write(self._done.to_json())

    async def finish(self) -> None:
        """Write the last progress; for the runner, not for a job's function."""
        if self._flusher:
            self._flusher.cancel()
            with suppress(asyncio.CancelledError):
                await self._flusher
        await self._write()

    async def _write_later(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._write()

    async def _write(self, state: Json | None = None) -> None:
        """Write what has changed; progress alone is not worth an error."""
        async with self._lock:
            progress, self._pending = self._pending, None
            if progress is None and state is None:
                return
            self._written_at = time.monotonic()
            try:
                await self._save(progress=progress, state=state)
            except GatewayError:
                if state is not None:
                    raise


async def _call(function: Callable[..., Any], *args: Any) -> Any:
    if inspect.iscoroutinefunction(function):
        return await function(*args)
    returned = await asyncio.to_thread(function, *args)
    return await returned if inspect.isawaitable(returned) else returned


def _with_id(fields: Names | None) -> Names | None:
    if fields is None:
        return None
    names = fields.split(",") if isinstance(fields, str) else fields
    return [*names, "id"]
