"""Collections with a field of every type, two of each: with a transform and without."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
import pytest_asyncio

from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack
from tests.http_client import open_client
from tests.superuser import (
    allow_batches,
    create_collections,
    open_superuser_client,
)

_RULES = dict.fromkeys(("listRule", "viewRule", "createRule", "updateRule", "deleteRule"), "")
_FIELDS: list[dict[str, Any]] = [
    {"name": "text", "type": "text"},
    {"name": "editor", "type": "editor"},
    {"name": "number", "type": "number"},
    {"name": "bool", "type": "bool"},
    {"name": "email", "type": "email"},
    {"name": "url", "type": "url"},
    {"name": "date", "type": "date"},
    {"name": "autodate", "type": "autodate", "onCreate": True},
    {"name": "select", "type": "select", "maxSelect": 1, "values": ["a", "b"]},
    {"name": "selects", "type": "select", "maxSelect": 2, "values": ["a", "b"]},
    {"name": "file", "type": "file", "maxSelect": 1},
    {"name": "files", "type": "file", "maxSelect": 2},
    {"name": "json", "type": "json"},
    {"name": "geo", "type": "geoPoint"},
    {"name": "password", "type": "password"},
    {"name": "sent", "type": "json"},
]
#: With a transform, and the same without.
WITH, WITHOUT = "passthrough", "passthrough_plain"
#: With a transform that lets updates pass too.
CHANGED = "changed"
#: A collection that no transform is for.
ELSEWHERE = "elsewhere"


@pytest.fixture(scope="session")
def hostile_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Running parts with the transforms of passthrough_transforms.py."""
    env = {"GATEWAY_APP": "tests.hostile.passthrough_transforms:app", "GATEWAY_LOG_LEVEL": "DEBUG"}
    plan = plan_throwaway(tmp_path_factory.mktemp("hostile"), env)
    with Stack(replace(plan, is_simulated=False)) as running:
        _make_collections(running)
        yield running


def _make_collections(stack: Stack) -> None:
    with open_superuser_client(stack.pocketbase) as client:
        allow_batches(client)
        users = client.get("/api/collections/users").json()["id"]
        relations = [
            {"name": name, "type": "relation", "maxSelect": most, "collectionId": users}
            for name, most in (("relation", 1), ("relations", 2))
        ]
        for name in (WITH, WITHOUT, CHANGED, "strict", "computed", "hung", ELSEWHERE):
            create_collections(client, {"name": name, "fields": _FIELDS + relations, **_RULES})


@pytest_asyncio.fixture
async def api(hostile_stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """PocketBase's collections, for a guest."""
    url = f"{hostile_stack.pocketbase.url}/api/collections"
    async with open_client(base_url=url, timeout=30) as client:
        yield client
