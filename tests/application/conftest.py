"""PocketBase, the simulator and a gateway that serves the team's app of shop.py."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack
from tests.frontend import User
from tests.second_gateway import build_second_gateway, inherit_settings, started
from tests.user_without_purchase import sign_up_without_purchase

SHOP = "tests.application.shop:app"
_MIGRATIONS = Path(__file__).parent / "pb_migrations"


@pytest.fixture(scope="session")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file with the handler's calls."""
    file = tmp_path_factory.mktemp("shop") / "notes"
    file.touch()
    return file


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, notes: Path) -> Iterator[Stack]:
    """The running parts of this folder's tests."""
    env = {
        "GATEWAY_APP": SHOP,
        "SHOP_KEY": "a-secret-of-the-team",
        "SHOP_NAME": "corner",
        "SHOP_NOTES": str(notes),
    }
    plan = plan_throwaway(tmp_path_factory.mktemp("application"), env)
    with Stack(replace(plan, migrations=(_MIGRATIONS,))) as running:
        running.gateway.wait_ready()
        yield running


@pytest.fixture(scope="session")
def user(stack: Stack) -> User:
    """A signed-in user."""
    return sign_up_without_purchase(stack.pocketbase.url)


@pytest_asyncio.fixture
async def api(stack: Stack, http: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app."""
    http.base_url = httpx.URL(stack.gateway.url)
    yield http


@pytest.fixture
def start(stack: Stack, tmp_path: Path) -> Iterator[Callable[..., GatewayProcess]]:
    """Start a further gateway in an empty folder: ``start("app.py", code, *command, **env)``."""
    with ExitStack() as ends:

        def run(file: str, code: str, *command: str, **env: str) -> GatewayProcess:
            path = tmp_path / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(code)
            settings = inherit_settings(stack, **{"GATEWAY_APP": ""} | env)
            made = build_second_gateway(stack, tmp_path / "gateway.log", **settings)
            made.cwd = tmp_path
            if command:
                port = made.url.rpartition(":")[2]
                made.command = tuple(part.replace("PORT", port) for part in command)
            return ends.enter_context(started(made))

        yield run
