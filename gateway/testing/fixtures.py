"""The fixtures of the pytest plugin."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from fastapi.testclient import TestClient
from pydantic import SecretStr

from gateway.app.loader import load_app
from gateway.dev.plan import plan_throwaway
from gateway.dev.project import Project
from gateway.dev.stack import Stack
from gateway.pocketbase.api import Credentials, PocketBaseClient
from gateway.testing.purchases import Buy
from gateway.testing.simulator import Clock, Simulator, StripeEvent
from gateway.testing.users import SignedUpUser, SignUp, open_http
from gateway.testing.work import WorkDone


@pytest.fixture(scope="session")
def gateway_project(pytestconfig: pytest.Config) -> Path:
    """The project's folder, by default pytest's root directory; override it for another."""
    return pytestconfig.rootpath


@pytest.fixture(scope="session")
def gateway_settings() -> dict[str, str]:
    """Settings of the app by environment variable; override it for your own."""
    return {}


@pytest.fixture(scope="session")
def stack(
    tmp_path_factory: pytest.TempPathFactory,
    gateway_project: Path,
    gateway_settings: dict[str, str],
) -> Iterator[Stack]:
    """PocketBase with the project's hooks and migrations, the simulator, and the app.

    All tests of the session share them, on free ports and an empty database.
    """
    project = Project(gateway_project)
    plan = plan_throwaway(tmp_path_factory.mktemp("stack"), gateway_settings)
    plan = replace(plan, migrations=(project.migrations,), hooks=project.hooks)
    made = Stack(replace(plan, catalogue=project.catalogue))
    made.gateway.cwd = project.folder
    with made as running:
        running.gateway.wait_ready()
        yield running


@pytest_asyncio.fixture
async def superuser_pb(stack: Stack) -> AsyncIterator[PocketBaseClient]:
    """PocketBase as superuser: API rules and transforms do not apply."""
    superuser = Credentials(stack.plan.superuser.email, SecretStr(stack.plan.superuser.password))
    async with PocketBaseClient(stack.pocketbase.url, credentials=superuser) as client:
        yield client


@pytest_asyncio.fixture
async def http(stack: Stack) -> AsyncIterator[httpx2.AsyncClient]:
    """The app as a guest."""
    async with open_http(stack) as client:
        yield client


@pytest_asyncio.fixture
async def sign_up(stack: Stack) -> AsyncIterator[SignUp]:
    """Sign up further users: ``other = await sign_up()``."""
    async with AsyncExitStack() as ends:
        yield SignUp(stack, ends)


@pytest_asyncio.fixture
async def user(sign_up: SignUp) -> SignedUpUser:
    """A new user per test."""
    return await sign_up()


@pytest.fixture
def buy(stack: Stack, http: httpx2.AsyncClient, user: SignedUpUser) -> Buy:
    """Buy as `user`: ``await buy("pro_monthly")``."""
    return Buy(stack, http, Simulator(stack, http), user)


@pytest.fixture
def stripe_event(stack: Stack, http: httpx2.AsyncClient) -> StripeEvent:
    """Deliver a signed event: ``await stripe_event("payout.paid", {"amount": 100})``."""
    return StripeEvent(stack, http, Simulator(stack, http))


@pytest.fixture
def clock(stack: Stack, http: httpx2.AsyncClient) -> Clock:
    """Stripe's time: ``await clock.advance(days=31)``."""
    return Clock(Simulator(stack, http))


@pytest.fixture
def work_done(stack: Stack, superuser_pb: PocketBaseClient) -> WorkDone:
    """Wait for event handlers, effects and jobs: ``await work_done()``."""
    return WorkDone(stack, superuser_pb)


@pytest.fixture
def app_client(
    stack: Stack, gateway_project: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    """The app in the test's process, for ``app_client.app.dependency_overrides``.

    It has the settings of `stack`, which also does its background work: event handlers, jobs and
    schedules see no overrides. These are removed after the test.
    """
    monkeypatch.chdir(gateway_project)
    for name, text in {**stack.gateway.env, "GATEWAY_RUN_WORK": "false"}.items():
        monkeypatch.setenv(name, text)
    app = load_app()
    with TestClient(app) as client:
        yield client
    app.dependency_overrides.clear()
