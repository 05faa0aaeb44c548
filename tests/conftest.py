"""The real parts for every test: PocketBase, the gateway and the Stripe simulator as processes."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
import pytest_asyncio
from xdist.remote import Producer

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack
from tests.catalogue import wait_for_catalogue
from tests.dashboard import Dashboard
from tests.delivery import Sender
from tests.distribution import Distribution, sort_tests
from tests.frontend import Frontend
from tests.http_client import open_client
from tests.log_scan import find_secrets
from tests.postgres_server import PostgresServer, find_missing_program
from tests.second_gateway import run_second_gateway
from tests.shop import Shop
from tests.stripe_account import StripeAccount
from tests.superuser import log_in_superuser

_log_in_once = cache(log_in_superuser)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Distribution | None:
    """Distribute files and folders; other schedulers of xdist by their names."""
    return Distribution(config, log) if config.getvalue("dist") == "load" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the longest tests, if several workers share them."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        sort_tests(items)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Running parts that all tests of this worker share: leave them running and as they were."""
    made = Stack(plan_throwaway(tmp_path_factory.mktemp("stack")))
    # Requests and responses are checked against Stripe's OpenAPI document.
    made.simulator.command += ("--contract",)
    with made as running:
        wait_for_catalogue(running.pocketbase)
        yield running
    # Checked once, after all tests of this worker.
    assert find_secrets(made.gateway.log.read_text()) == []


@pytest.fixture
def fresh_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Stack]]:
    """Start parts of one's own, to kill, pause or fill: `fresh_stack(GATEWAY_LOG_LEVEL="DEBUG")`.

    With `start=False` nothing is started; what the test starts is ended all the same.
    """
    with ExitStack() as ends:

        def make(*, start: bool = True, **gateway_env: str) -> Stack:
            made = Stack(plan_throwaway(tmp_path_factory.mktemp("stack"), gateway_env))
            ends.callback(made.stop)
            if start:
                made.start()
            return made

        yield make


@pytest_asyncio.fixture
async def frontend(stack: Stack) -> AsyncIterator[Frontend]:
    """A browser's view of the shared PocketBase."""
    async with Frontend(stack.pocketbase.url) as client:
        yield client


@pytest_asyncio.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """A client for everything but PocketBase."""
    async with open_client() as client:
        yield client


@pytest.fixture
def superuser_token(stack: Stack) -> str:
    """A token of the superuser, the same for all tests of one PocketBase.

    Not a session fixture: some folders override `stack`, and a session fixture would keep the
    value of the stack that was used first.
    """
    return _log_in_once(stack.pocketbase)


@pytest.fixture
def start_gateway(stack: Stack, tmp_path: Path) -> Iterator[Callable[..., GatewayProcess]]:
    """Start a further gateway beside the shared PocketBase: `start_gateway(SETTING="value")`."""
    with ExitStack() as ends:

        def start(**env: str) -> GatewayProcess:
            log = tmp_path / "gateway.log"
            return ends.enter_context(run_second_gateway(stack, log, **env))

        yield start


@pytest.fixture
def dashboard(frontend: Frontend, superuser_token: str) -> Dashboard:
    """The superuser's view of the shared PocketBase."""
    return Dashboard(frontend, superuser_token)


@pytest.fixture
def sender(stack: Stack, http: httpx.AsyncClient) -> Sender:
    """Delivers signed events to the shared gateway."""
    return Sender(http, stack.gateway.url, stack.plan.stripe.webhook_secrets[0])


@pytest.fixture
def shop(stack: Stack, http: httpx.AsyncClient) -> Shop:
    """A buyer's way to the shared gateway and the hosted pages."""
    return Shop(http, stack.gateway.url)


@pytest.fixture
def account(stack: Stack, http: httpx.AsyncClient) -> StripeAccount:
    """The Stripe account that the shared gateway sells for."""
    return StripeAccount(http, stack.simulator)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server; without its programs the tests are skipped with the reason."""
    if reason := find_missing_program():
        pytest.skip(reason)
    # Not below pytest's folder, which other users can't enter.
    with TemporaryDirectory(prefix="postgres-") as folder:
        server = PostgresServer(Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.stop()


@pytest.fixture
def database(postgres: PostgresServer) -> str:
    """The address of an empty database."""
    return postgres.create_database()
