"""A stack with the jobs of app.py, and a client of its endpoints."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack
from tests.frontend import Frontend, User
from tests.jobs.client import JobClient

APP = "tests.jobs.app:app"
_MIGRATIONS = Path(__file__).parent / "pb_migrations"


def make_stack(folder: Path, **env: str) -> Stack:
    """Return a stack of this folder's app, not started."""
    plan = plan_throwaway(folder, {"GATEWAY_APP": APP, **env})
    return Stack(replace(plan, migrations=(_MIGRATIONS,)))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The running parts of this folder's tests: leave them running."""
    with make_stack(tmp_path_factory.mktemp("jobs")) as running:
        running.gateway.wait_ready()
        yield running


@pytest.fixture
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Stack]]:
    """Start parts of one's own, to kill."""
    with ExitStack() as ends:

        def start(**env: str) -> Stack:
            made = make_stack(tmp_path_factory.mktemp("jobs"), **env)
            ends.callback(made.stop)
            made.start()
            made.gateway.wait_ready()
            return made

        yield start


@pytest_asyncio.fixture
async def user(frontend: Frontend) -> User:
    """A signed-in user."""
    return await frontend.sign_up()


@pytest_asyncio.fixture
async def jobs(stack: Stack, http: httpx.AsyncClient, user: User) -> AsyncIterator[JobClient]:
    """The jobs of the user."""
    yield JobClient(http, stack.gateway.url, user.token)
