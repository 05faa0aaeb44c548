"""A browser with PocketBase's JS SDK, over httpx: sign up, log in, list, subscribe."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

from tests.http_client import open_client

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class User:
    """A signed-up and logged-in user."""

    id: str
    email: str
    password: str
    token: str

    @property
    def bearer(self) -> dict[str, str]:
        """The header that authenticates this user at the gateway."""
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, slots=True)
class Change:
    """One realtime event: `action` is create, update or delete."""

    topic: str
    action: str
    record: Record


def _any(change: Change) -> bool:
    return True


@dataclass(slots=True)
class Feed:
    """The realtime events of one subscription, in the order of their arrival."""

    #: Everything that has arrived so far, also what `next` skipped.
    seen: list[Change] = field(default_factory=list)
    _queue: asyncio.Queue[Change] = field(default_factory=asyncio.Queue)

    async def next(self, match: Callable[[Change], bool] = _any, within: float = 10.0) -> Change:
        """Return the next event that matches; TimeoutError if none comes within the seconds."""
        async with asyncio.timeout(within):
            while not match(change := await self._queue.get()):
                pass
            return change

    def add(self, change: Change) -> None:
        """Note an event."""
        self.seen.append(change)
        self._queue.put_nowait(change)


class Frontend:
    """A client of one PocketBase; every refused request raises `httpx.HTTPStatusError`."""

    def __init__(self, url: str) -> None:
        self.http = open_client(base_url=url, timeout=10.0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.http.aclose()

    async def call(
        self, method: str, path: str, *, token: str = "", body: Any = None, **query: str | int
    ) -> Any:
        """Send one request; return the answer's JSON, or None if it has no body."""
        headers = {"Authorization": token} if token else {}
        answer = await self.http.request(method, path, json=body, headers=headers, params=query)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    async def sign_up(self, email: str = "", collection: str = "users") -> User:
        """Create a user, by default with a random address, and log in."""
        email = email or f"user-{secrets.token_hex(6)}@example.com"
        password = secrets.token_urlsafe(12)
        body = {"email": email, "password": password, "passwordConfirm": password}
        record = await self.call("POST", f"/api/collections/{collection}/records", body=body)
        token = await self.log_in(email, password, collection)
        return User(record["id"], email, password, token)

    async def log_in(self, email: str, password: str, collection: str = "users") -> str:
        """Return a token; `collection` is `_superusers` for a superuser."""
        path = f"/api/collections/{collection}/auth-with-password"
        answer = await self.call("POST", path, body={"identity": email, "password": password})
        return str(answer["token"])

    async def list_records(
        self, collection: str, *, token: str = "", filter: str = "", sort: str = ""
    ) -> list[Record]:
        """Return every record that the token's owner may list."""
        records: list[Record] = []
        query: dict[str, str | int] = {"perPage": 500, "filter": filter, "sort": sort}
        while True:
            page = len(records) // 500 + 1
            path = f"/api/collections/{collection}/records"
            answer = await self.call("GET", path, token=token, page=page, **query)
            records += answer["items"]
            if len(records) >= answer["totalItems"]:
                return records

    @asynccontextmanager
    async def subscribe(self, *topics: str, token: str = "") -> AsyncIterator[Feed]:
        """Follow topics such as `subscriptions/*` until the context ends."""
        feed = Feed()
        async with self.http.stream("GET", "/api/realtime", timeout=None) as stream:
            messages = _read_messages(stream)
            _, hello = await anext(messages)
            body = {"clientId": hello["clientId"], "subscriptions": topics}
            await self.call("POST", "/api/realtime", token=token, body=body)
            reader = asyncio.create_task(_fill(feed, messages))
            try:
                yield feed
            finally:
                reader.cancel()
                with suppress(asyncio.CancelledError):
                    await reader


async def _fill(feed: Feed, messages: AsyncIterator[tuple[str, Any]]) -> None:
    async for topic, data in messages:
        feed.add(Change(topic, data["action"], data["record"]))


async def _read_messages(stream: httpx.Response) -> AsyncIterator[tuple[str, Any]]:
    """Yield each server-sent event's name and JSON data."""
    name, data = "", ""
    async for line in stream.aiter_lines():
        if line.startswith("event:"):
            name = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            data = line.removeprefix("data:")
        elif not line and data:
            yield name, json.loads(data)
            name, data = "", ""
