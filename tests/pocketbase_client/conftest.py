"""A PocketBase of its own with a blog's collections, and clients of it."""

import secrets
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from gateway.dev.plan import plan_throwaway
from gateway.dev.pocketbase import PocketBaseProcess
from gateway.dev.stack import Stack
from gateway.pocketbase.api import Auth, Credentials, PocketBaseClient
from tests.pocketbase_alone import serve_alone
from tests.pocketbase_client.blog import describe_collections
from tests.superuser import open_superuser_client


@pytest.fixture(scope="session")
def blog(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The parts; only PocketBase is started."""
    return Stack(plan_throwaway(tmp_path_factory.mktemp("pocketbase")))


@pytest.fixture(scope="session")
def server(blog: Stack) -> Iterator[PocketBaseProcess]:
    """A PocketBase that takes batches; tests may restart it."""
    with serve_alone(blog.pocketbase) as part:
        _prepare(part)
        yield part


def _prepare(part: PocketBaseProcess) -> None:
    with open_superuser_client(part, "/api") as client:
        users = client.get("/collections/users").raise_for_status().json()["id"]
        body: dict[str, Any] = {"collections": describe_collections(users)}
        client.put("/collections/import", json=body).raise_for_status()
        settings = {"batch": {"enabled": True, "maxRequests": 10}}
        client.patch("/settings", json=settings).raise_for_status()


@pytest.fixture
def credentials(server: PocketBaseProcess) -> Credentials:
    """The superuser's."""
    return Credentials(server.superuser_email, server.superuser_password)


@pytest_asyncio.fixture
async def pb(
    server: PocketBaseProcess, credentials: Credentials
) -> AsyncIterator[PocketBaseClient]:
    """The superuser's client."""
    async with PocketBaseClient(server.url, credentials=credentials) as client:
        yield client


@pytest_asyncio.fixture
async def guest(pb: PocketBaseClient) -> PocketBaseClient:
    """A client without a token."""
    return pb.as_guest()


async def sign_up(pb: PocketBaseClient, name: str = "") -> Auth[dict[str, Any]]:
    """Create a user and sign in."""
    email, password = f"{secrets.token_hex(6)}@example.com", secrets.token_urlsafe(12)
    body = {"email": email, "name": name, "password": password, "passwordConfirm": password}
    await pb.collection("users").create(body)
    return await pb.collection("users").auth_with_password(email, password)


@pytest_asyncio.fixture
async def author(pb: PocketBaseClient) -> Auth[dict[str, Any]]:
    """A signed-in user."""
    return await sign_up(pb, "Ann")


@pytest_asyncio.fixture
async def user(pb: PocketBaseClient, author: Auth[dict[str, Any]]) -> PocketBaseClient:
    """The user's client."""
    return pb.with_token(author.token)
