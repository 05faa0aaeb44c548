"""Causes of work: tickets that are created and changed, and jobs, also while PocketBase is away."""

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from secrets import token_hex
from typing import Any

import httpx

from gateway.errors import GatewayError
from gateway.pocketbase.contracts.work import NewItem
from gateway.work import WorkQueue
from tests.dashboard import Dashboard
from tests.deadline import eventually

_RECORDS = "/api/collections/tickets/records"
_PATIENCE = 60.0


@dataclass(slots=True)
class Tickets:
    """The committed causes; their work may not be lost."""

    dashboard: Dashboard
    queue: WorkQueue
    chance: random.Random
    #: The number of each ticket's last change; changes count from 0, the creation.
    last: dict[str, int] = field(default_factory=dict)
    #: The ids of the jobs for the new release, which are the keys of their effects.
    announcements: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    async def change_until(self, is_over: Callable[[], bool], tickets: int) -> None:
        """Create tickets and change them, all at the same time, until it is over."""
        await asyncio.gather(*(self._change_one(is_over) for _ in range(tickets)))

    async def _change_one(self, is_over: Callable[[], bool]) -> None:
        id = await self.create()
        while not is_over():
            await asyncio.sleep(self.chance.uniform(0.1, 0.8))
            await self.change(id)
            if self.last[id] % 4 == 0:
                await self.announce()

    async def create(self) -> str:
        """Create a ticket; return its id."""
        id = token_hex(7) + "0"
        await self._store("POST", _RECORDS, {"id": id, "number": 0})
        self.last[id] = 0
        return id

    async def change(self, id: str) -> None:
        """Change a ticket."""
        number = self.last[id] + 1
        await self._store("PATCH", f"{_RECORDS}/{id}", {"id": id, "number": number})
        self.last[id] = number

    async def _store(self, method: str, path: str, ticket: dict[str, Any]) -> None:
        """Repeat a write until PocketBase has it: an answer may be lost after the commit."""

        async def is_stored() -> bool:
            try:
                await self.dashboard.call(method, path, ticket)
            except httpx.HTTPError:
                return await self._has(ticket)
            return True

        await eventually(is_stored, _PATIENCE)

    async def _has(self, ticket: dict[str, Any]) -> bool:
        try:
            stored = await self.dashboard.call("GET", f"{_RECORDS}/{ticket['id']}")
        except httpx.HTTPError:
            return False
        return bool(stored["number"] == ticket["number"])

    async def announce(self) -> str:
        """Add a job of the new release; return its id."""
        id = token_hex(7) + "0"
        payload = {"number": next(self._numbers)}
        item = NewItem(id=id, kind="task", handler="job.announce", payload=payload)

        async def is_added() -> bool:
            try:
                await self.queue.enqueue([item])
            except GatewayError:
                return False
            return True

        await eventually(is_added, _PATIENCE)
        self.announcements.append(id)
        return id
