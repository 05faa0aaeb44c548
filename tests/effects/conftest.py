"""PocketBase, the simulator and a gateway that serves the app of orders.py."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack
from tests.second_gateway import build_second_gateway, inherit_settings, started

APP = "tests.effects.orders:app"
MIGRATIONS = Path(__file__).parent / "pb_migrations"


@dataclass(frozen=True, slots=True)
class Notes:
    """Notes of the app's functions."""

    file: Path

    def read(self, effect: str, **values: Any) -> list[dict[str, Any]]:
        """Return the notes of an effect with these values, in their order."""
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        found = [json.loads(line) for line in lines]
        return [
            each for each in found if each["effect"] == effect and values.items() <= each.items()
        ]


@pytest.fixture(scope="session")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Notes:
    """The notes of the shared gateway."""
    return Notes(tmp_path_factory.mktemp("effects") / "notes")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, notes: Notes) -> Iterator[Stack]:
    """The running parts of this folder's tests."""
    env = {"GATEWAY_APP": APP, "NOTES": str(notes.file)}
    plan = plan_throwaway(tmp_path_factory.mktemp("stack"), env)
    with Stack(replace(plan, migrations=(MIGRATIONS,))) as running:
        running.gateway.wait_ready()
        yield running


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stack]:
    """Parts to stop and to change."""
    env = {"GATEWAY_APP": APP, "NOTES": str(tmp_path / "notes")}
    plan = plan_throwaway(tmp_path / "stack", env)
    with Stack(replace(plan, migrations=(MIGRATIONS,))) as made:
        made.gateway.wait_ready()
        yield made


@pytest.fixture
def start_release(own: Stack, tmp_path: Path) -> Iterator[Callable[[str], GatewayProcess]]:
    """Start another release beside `own`, of the code of its app."""
    numbers = count()
    with ExitStack() as ends:

        def start(code: str) -> GatewayProcess:
            folder = tmp_path / f"release{next(numbers)}"
            folder.mkdir()
            (folder / "app.py").write_text(code)
            settings = inherit_settings(own, GATEWAY_APP="app:app")
            made = build_second_gateway(own, folder / "gateway.log", **settings)
            made.cwd = folder
            return ends.enter_context(started(made))

        yield start
