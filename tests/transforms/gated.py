"""A stack with transforms that wait at gates, and concurrent writes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx

from gateway.dev.stack import Stack
from tests.deadline import eventually
from tests.frontend import Frontend
from tests.superuser import (
    allow_batches,
    create_collections,
    open_superuser_client,
)

_RULES = dict.fromkeys(("listRule", "viewRule", "createRule", "updateRule", "deleteRule"), "")
_FIELDS: list[dict[str, Any]] = [
    {"name": "gate", "type": "text"},
    {"name": "title", "type": "text"},
    {"name": "note", "type": "text"},
    {"name": "words", "type": "number"},
    {"name": "count", "type": "number"},
    {"name": "rating", "type": "number"},
    {"name": "locked", "type": "bool"},
    {"name": "owner", "type": "text"},
    {"name": "due", "type": "date"},
    {"name": "place", "type": "geoPoint"},
    {"name": "data", "type": "json"},
    {"name": "secret", "type": "text", "hidden": True},
    {"name": "tags", "type": "select", "maxSelect": 4, "values": ["a", "b", "c", "d"]},
    {"name": "image", "type": "file", "maxSelect": 5},
    {"name": "updated", "type": "autodate", "onCreate": True, "onUpdate": True},
]


def make_gated_collections(stack: Stack) -> None:
    """Make the collections of gated_transforms.py, public unless a record is locked."""
    with open_superuser_client(stack.pocketbase) as client:
        own = {"updateRule": "owner = '' || owner = @request.auth.id"}
        create_collections(client, {"name": "papers", "fields": _FIELDS, **_RULES, **own})
        for name in ("counted", "created_only", "unguarded"):
            create_collections(client, {"name": name, "fields": _FIELDS, **_RULES})
        people = [
            {"name": "gate", "type": "text"},
            {"name": "name", "type": "text"},
            {"name": "banned", "type": "bool", "hidden": True},
        ]
        mine = {"updateRule": "id = @request.auth.id && banned = false"}
        made = {"name": "people", "type": "auth", "fields": people, **_RULES, **mine}
        create_collections(client, made)
        allow_batches(client, timeout=30)


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate at which the transforms of one record wait."""

    folder: Path
    name: str

    def open(self) -> None:
        """Let all pass from now on."""
        (self.folder / f"{self.name}.open").touch()

    @property
    def asked(self) -> int:
        """How often a transform came here."""
        path = self.folder / f"{self.name}.asked"
        return len(path.read_text().splitlines()) if path.exists() else 0

    async def wait_for(self, number: int) -> None:
        """Wait until so many transforms came."""

        async def is_reached() -> bool:
            return self.asked >= number

        await eventually(is_reached)


@dataclass(frozen=True, slots=True)
class Gates:
    """The gates of a stack."""

    client: Frontend
    folder: Path

    async def create(self, collection: str, token: str = "", **values: Any) -> tuple[str, Gate]:
        """Create a record with a gate of its own; return its address."""
        gate = Gate(self.folder, token_hex(6))
        path = f"/api/collections/{collection}/records"
        made = await self.client.call("POST", path, token=token, body=values | {"gate": gate.name})
        return f"{path}/{made['id']}", gate

    @asynccontextmanager
    async def meanwhile(
        self, gate: Gate, path: str, body: Any, token: str = "", method: str = "PATCH", **more: Any
    ) -> AsyncIterator[list[httpx.Response]]:
        """Hold a write at the gate for the context; its answer is in the list after it."""
        headers = {"Authorization": token} if token else {}
        number = gate.asked + 1
        options = {"json": body, "headers": headers} | more
        request = self.client.http.request(method, path, timeout=30, **options)
        write = asyncio.create_task(request)
        answers: list[httpx.Response] = []
        try:
            await gate.wait_for(number)
            yield answers
        finally:
            gate.open()
            answers.append(await write)
