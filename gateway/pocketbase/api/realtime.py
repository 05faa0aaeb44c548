"""Changes of records, live, over PocketBase's server-sent events."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar, cast
from urllib.parse import quote

from gateway.json_codec import dump_text, load
from gateway.pocketbase.api.caller import Caller, check_object
from gateway.pocketbase.api.errors import (
    InvalidAnswer,
    InvalidRecord,
    PocketBaseError,
    RateLimited,
    Unavailable,
)
from gateway.pocketbase.api.models import read_record
from gateway.pocketbase.api.paths import Names, build_path, join_names
from gateway.pocketbase.api.sse import ServerSentEvent, parse_events
from gateway.pocketbase.api.transport import Request

T = TypeVar("T")

_log = logging.getLogger(__name__)
_PATH = build_path("realtime")
#: PocketBase ends a connection without events after five minutes: silence beyond that is a
#: connection that broke unnoticed.
_SILENCE_SECONDS = 330.0
_FIRST_BACKOFF_SECONDS = 0.1
_MAX_BACKOFF_SECONDS = 10.0
#: Changes that wait for a slow consumer; beyond them PocketBase's connection is read no further.
_MAX_WAITING_MESSAGES = 1000


@dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """A record was created, updated or deleted."""

    action: Literal["create", "update", "delete"]
    #: After the change; of a deleted one, as it was.
    record: T


@dataclass(frozen=True, slots=True)
class Gap:
    """The connection was lost and is back: changes of this time may be missing. Read again."""

    since: datetime
    until: datetime


class Subscription(Generic[T]):
    """The changes of a collection or record, in the order of their arrival.

    A context manager: once it is entered, every later change arrives. It reconnects by itself, for
    as long as it takes, and then gives a `Gap`.
    """

    def __init__(self, caller: Caller, collection: str, topic: str, model: type[T] | None) -> None:
        self._caller = caller
        self._collection = collection
        self._topic = topic
        self._model = model
        self._waiting: asyncio.Queue[Change[T] | Gap | Exception] = asyncio.Queue(
            _MAX_WAITING_MESSAGES
        )
        self._reader: asyncio.Task[None] | None = None
        self._failure: Exception | None = None
        self._alive_at = datetime.now(UTC)

    async def __aenter__(self) -> Self:
        """Connect and subscribe.

        Raises:
            PocketBaseError: it was refused, or PocketBase does not answer.
        """
        stack = AsyncExitStack()
        try:
            events = await self._connect(stack)
        except BaseException:
            await stack.aclose()
            raise
        self._reader = asyncio.create_task(self._run(stack, events))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection, which ends the subscription."""
        if self._reader:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader

    def __aiter__(self) -> Self:
        """Return itself: the changes are given once."""
        return self

    async def __anext__(self) -> Change[T] | Gap:
        """Wait for the next change; a wait that is cancelled loses nothing.

        Raises:
            PocketBaseError: the subscription can't be renewed, for example because the user's
                token has expired; or a record does not fit the model.
            RuntimeError: the context was not entered.
        """
        if self._reader is None:
            raise RuntimeError("use `async with` for a subscription")
        if self._failure and self._waiting.empty():
            raise self._failure
        found = await self._waiting.get()
        if isinstance(found, Exception):
            raise found
        return found

    async def _run(self, stack: AsyncExitStack, events: AsyncIterator[ServerSentEvent]) -> None:
        """Read events until the end of the context, on one connection after the other."""
        try:
            while True:
                async with stack:
                    with suppress(Unavailable):
                        await self._read(events)
                since = self._alive_at
                stack, events = await self._reconnect()
                await self._waiting.put(Gap(since, self._alive_at))
        except Exception as error:
            self._failure = error
            await self._waiting.put(error)

    async def _read(self, events: AsyncIterator[ServerSentEvent]) -> None:
        async for event in events:
            self._alive_at = datetime.now(UTC)
            if event.name == self._topic:
                await self._waiting.put(self._read_change(event))

    async def _reconnect(self) -> tuple[AsyncExitStack, AsyncIterator[ServerSentEvent]]:
        """Connect again, with more and more time between the attempts."""
        seconds = _FIRST_BACKOFF_SECONDS
        while True:
            stack = AsyncExitStack()
            try:
                return stack, await self._connect(stack)
            except (Unavailable, RateLimited) as error:
                await stack.aclose()
                _log.info(
                    "realtime connection lost",
                    extra={"collection": self._collection, "reason": type(error).__name__},
                )
            except BaseException:
                await stack.aclose()
                raise
            await asyncio.sleep(seconds * random.uniform(0.75, 1.25))  # noqa: S311
            seconds = min(2 * seconds, _MAX_BACKOFF_SECONDS)

    async def _connect(self, stack: AsyncExitStack) -> AsyncIterator[ServerSentEvent]:
        """Open a stream and subscribe; return its further events."""
        caller = self._caller
        request = Request("GET", _PATH, headers={"Accept": "text/event-stream"})
        opened = caller.transport.stream(request, "", max_silence=_SILENCE_SECONDS)
        response = await stack.enter_async_context(opened)
        events = parse_events(response.aiter_lines())
        try:
            async with asyncio.timeout(caller.transport.timeout):
                hello = await anext(events)
        except (TimeoutError, StopAsyncIteration) as error:
            raise Unavailable("PocketBase did not open the realtime connection.") from error
        body = {"clientId": hello.id, "subscriptions": [self._topic]}
        # The connection takes the account of this request's token.
        await caller.call("POST", _PATH, body)
        self._alive_at = datetime.now(UTC)
        return events

    def _read_change(self, event: ServerSentEvent) -> Change[T] | Exception:
        try:
            data = check_object(load(event.data))
            action = data["action"]
            record = read_record(self._model, data["record"], self._collection)
        except (PocketBaseError, InvalidRecord) as error:
            return error
        except (ValueError, KeyError) as error:
            failure = InvalidAnswer("PocketBase sent an event that is not a change of a record.")
            failure.__cause__ = error
            return failure
        return Change(cast("Literal['create', 'update', 'delete']", action), record)


class Realtime(Generic[T]):
    """Subscribes to one collection."""

    _caller: Caller
    name: str
    _model: type[T] | None

    def subscribe(
        self,
        id: str = "*",
        *,
        filter: str = "",
        expand: Names | None = None,
        fields: Names | None = None,
    ) -> Subscription[T]:
        """Return a subscription to all records, or to one.

        PocketBase sends a change if the collection's list rule (for one record: its view rule)
        lets the caller see the record. It accepts subscriptions to collections that don't exist.

        Args:
            id: of one record, by default all.
            filter: only changes of records that match; see `Records.list`.
            expand: relations whose records come along.
            fields: members to return, by default all.
        """
        query = {
            "filter": filter or None,
            "expand": join_names(expand),
            "fields": join_names(fields),
        }
        topic = f"{self.name}/{id}"
        if given := {name: value for name, value in query.items() if value}:
            topic += f"?options={_quote(given)}"
        return Subscription(self._caller, self.name, topic, self._model)


def _quote(query: dict[str, Any]) -> str:
    return quote(dump_text({"query": query}), safe="")
