"""A stack with the transforms of sample_transforms.py, and collections for them."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.deadline import wait_until
from tests.frontend import Frontend, User
from tests.superuser import (
    allow_batches,
    create_collections,
    log_in_superuser,
    open_superuser_client,
)
from tests.user_without_purchase import sign_up_without_purchase

_RULES = dict.fromkeys(("listRule", "viewRule", "createRule", "updateRule", "deleteRule"), "")
_FILE = {"name": "image", "type": "file", "maxSelect": 3}
_FIELDS: dict[str, list[dict[str, Any]]] = {
    "notes": [
        {"name": "title", "type": "text"},
        {"name": "body", "type": "text"},
        {"name": "slug", "type": "text"},
        {"name": "count", "type": "number"},
        {"name": "tags", "type": "select", "maxSelect": 5, "values": ["a", "b", "c", "d", "e"]},
        {"name": "kind", "type": "text"},
        {"name": "author", "type": "text"},
        _FILE,
    ],
    "plain": [{"name": "title", "type": "text"}],
    "slow_closed": [{"name": "title", "type": "text"}],
    "slow_open": [
        {"name": "title", "type": "text"},
        {"name": "transform_skipped", "type": "bool"},
    ],
    "mirrors": [
        {"name": "title", "type": "text"},
        {"name": "count", "type": "number"},
        {"name": "tags", "type": "select", "maxSelect": 5, "values": ["a", "b", "c", "d", "e"]},
        {"name": "score", "type": "number", "hidden": True},
        {"name": "proof", "type": "file", "hidden": True},
        {"name": "seen", "type": "json"},
        _FILE,
    ],
    "albums": [{"name": "seen", "type": "json"}, _FILE],
}
_MINE = "author = @request.auth.id"


@pytest.fixture(scope="session")
def records_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Running parts with transforms, shared by this folder: leave them running and as they were."""
    env = {"GATEWAY_APP": "tests.transforms.sample_transforms:app", "GATEWAY_LOG_LEVEL": "DEBUG"}
    with Stack(plan_throwaway(tmp_path_factory.mktemp("records"), env)) as running:
        wait_until(lambda: _is_ready(running.gateway.url))
        make_collections(running)
        yield running


def _is_ready(url: str) -> bool:
    return httpx.get(f"{url}/ready", trust_env=False).status_code == 200


def make_collections(stack: Stack) -> None:
    """Create the collections of sample_transforms.py; only authors may change their notes."""
    with open_superuser_client(stack.pocketbase) as client:
        members = {"name": "members", "type": "auth", "fields": [{"name": "name", "type": "text"}]}
        create_collections(client, members | _RULES)
        for name, fields in _FIELDS.items():
            rules = _RULES | ({"updateRule": _MINE, "deleteRule": _MINE} if name == "notes" else {})
            create_collections(client, {"name": name, "fields": fields, **rules})
        allow_batches(client)


@pytest_asyncio.fixture
async def client(records_stack: Stack) -> AsyncIterator[Frontend]:
    """A browser's view of this folder's PocketBase."""
    async with Frontend(records_stack.pocketbase.url) as frontend:
        yield frontend


@pytest.fixture(scope="session")
def author(records_stack: Stack) -> User:
    """A signed-in user."""
    return sign_up_without_purchase(records_stack.pocketbase.url)


@pytest.fixture(scope="session")
def root(records_stack: Stack) -> str:
    """A token of the gateway's own superuser."""
    return log_in_superuser(records_stack.pocketbase)


@pytest.fixture
def board(client: Frontend, root: str) -> Dashboard:
    """The superuser's view of this folder's PocketBase."""
    return Dashboard(client, root)
