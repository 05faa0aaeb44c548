"""A client of the job endpoints."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.deadline import eventually

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SentEvent:
    """One server-sent event."""

    name: str
    id: str
    data: Json


@dataclass(frozen=True, slots=True)
class JobClient:
    """One caller."""

    http: httpx.AsyncClient
    url: str
    token: str = ""

    def _headers(self, more: dict[str, str] | None = None) -> dict[str, str]:
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return own | (more or {})

    async def post(self, name: str, body: Any = None, key: str = "") -> httpx.Response:
        """Start a job; return the response."""
        headers = self._headers({"Idempotency-Key": key} if key else None)
        return await self.http.post(f"{self.url}/jobs/{name}", json=body, headers=headers)

    async def start(self, name: str, body: Any = None, key: str = "") -> str:
        """Start a job; return its id."""
        answer = await self.post(name, body, key)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    async def get(self, id: str) -> httpx.Response:
        """Return the response of GET /jobs/{id}."""
        return await self.http.get(f"{self.url}/jobs/{id}", headers=self._headers())

    async def cancel(self, id: str) -> httpx.Response:
        """Return the response of POST /jobs/{id}/cancel."""
        return await self.http.post(f"{self.url}/jobs/{id}/cancel", headers=self._headers())

    async def wait(self, id: str, *statuses: str, within: float = 15.0) -> Json:
        """Wait for one of these statuses, by default the end; return the job."""
        wanted = statuses or ("done", "parked", "cancelled")

        async def check() -> Json | None:
            answer = await self.get(id)
            found: Json = answer.raise_for_status().json()
            return found if found["status"] in wanted else None

        found = await eventually(check, within)
        assert found
        return found

    async def run(self, name: str, body: Any = None) -> Json:
        """Start a job and wait for its end."""
        return await self.wait(await self.start(name, body))

    @asynccontextmanager
    async def stream(self, id: str, last: str | bytes = "") -> AsyncIterator[httpx.Response]:
        """Open the events of a job."""
        headers: Any = self._headers({"Accept": "text/event-stream"})
        if last:
            headers["Last-Event-ID"] = last
        url = f"{self.url}/jobs/{id}/events"
        async with self.http.stream("GET", url, headers=headers, timeout=60) as response:
            yield response

    async def follow(self, id: str, last: str = "", within: float = 20.0) -> list[SentEvent]:
        """Return all events of a job until the stream ends."""
        async with asyncio.timeout(within), self.stream(id, last) as response:
            assert response.status_code == 200
            return [event async for event in read_events(response)]


async def read_events(response: httpx.Response) -> AsyncIterator[SentEvent]:
    """Yield the events of a stream."""
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if not line and "data" in fields:
            yield SentEvent(fields["event"], fields["id"], json.loads(fields["data"]))
        if not line:
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
