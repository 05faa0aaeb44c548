"""PocketBase, the simulator and a gateway that serves the app of orders.py."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.plan import plan_throwaway
from gateway.dev.ports import pick_free
from gateway.dev.stack import Stack

APP = "tests.effects.orders:app"
MIGRATIONS = Path(__file__).parent / "pb_migrations"


@dataclass(frozen=True, slots=True)
class Notes:
    """What the app's functions noted."""

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
    made = Stack(replace(plan_throwaway(tmp_path / "stack", env), migrations=(MIGRATIONS,)))
    try:
        made.start()
        made.gateway.wait_ready()
        yield made
    finally:
        made.stop()


@pytest.fixture
def start_release(own: Stack, tmp_path: Path) -> Iterator[Callable[[str], GatewayProcess]]:
    """Start another release beside `own`, of the code of its app."""
    started: list[GatewayProcess] = []

    def start(code: str) -> GatewayProcess:
        folder = tmp_path / f"release{len(started)}"
        folder.mkdir()
        (folder / "app.py").write_text(code)
        env = {**own.plan.gateway_env, "GATEWAY_APP": "app:app"}
        made = GatewayProcess(
            pick_free(),
            log=folder / "gateway.log",
            pocketbase=own.pocketbase,
            stripe=own.plan.stripe,
            frontend_origins=own.plan.frontend_origins,
            env={**env, "GATEWAY_HOOK_SECRETS": own.plan.hook_secrets},
        )
        made.cwd = folder
        started.append(made)
        made.start()
        made.wait_healthy()
        return made

    yield start
    for gateway in started:
        gateway.stop()
