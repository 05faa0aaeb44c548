"""A stack with the app of app.py, and old articles that its transform has not seen."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import httpx
import pytest
import pytest_asyncio

from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack
from gateway.pocketbase.api import Credentials, PocketBaseClient
from tests.frontend import Frontend, User
from tests.jobs.client import JobClient

APP = "tests.bulk.app:app"
_MIGRATIONS = Path(__file__).parent / "pb_migrations"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The running parts of this folder's tests: leave them running."""
    plan = plan_throwaway(tmp_path_factory.mktemp("bulk"), {"GATEWAY_APP": APP})
    with Stack(replace(plan, migrations=(_MIGRATIONS,))) as running:
        running.gateway.wait_ready()
        yield running


@pytest.fixture
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Stack]]:
    """Start parts of one's own, to kill."""
    with ExitStack() as ends:

        def start(**env: str) -> Stack:
            plan = plan_throwaway(tmp_path_factory.mktemp("bulk"), {"GATEWAY_APP": APP, **env})
            made = Stack(replace(plan, migrations=(_MIGRATIONS,)))
            ends.callback(made.stop)
            made.start()
            made.gateway.wait_ready()
            return made

        yield start


def open_superuser(stack: Stack) -> PocketBaseClient:
    """Return a client of the gateway's own superuser: its writes pass no transform."""
    part = stack.pocketbase
    credentials = Credentials(part.superuser_email, part.superuser_password)
    return PocketBaseClient(part.url, credentials=credentials)


@pytest_asyncio.fixture
async def pb(stack: Stack) -> AsyncIterator[PocketBaseClient]:
    """PocketBase as the gateway's own superuser."""
    async with open_superuser(stack) as client:
        yield client


@pytest_asyncio.fixture
async def user(frontend: Frontend) -> User:
    """A signed-in user."""
    return await frontend.sign_up()


@pytest_asyncio.fixture
async def own_pb(pb: PocketBaseClient, user: User) -> PocketBaseClient:
    """PocketBase as the user."""
    return pb.with_token(user.token)


@pytest.fixture
def jobs(stack: Stack, http: httpx.AsyncClient, user: User) -> JobClient:
    """The jobs of the user."""
    return JobClient(http, stack.gateway.url, user.token)


@pytest.fixture
def mark() -> str:
    """A word that only one test's articles have."""
    return token_hex(4)
