"""A stack to break, and `gateway doctor` beside it; each test repairs what it breaks."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack
from tests.catalogue import wait_for_catalogue

_SETTINGS = ("POCKETBASE_", "STRIPE_", "GATEWAY_")
#: Longer than any command on a slow machine.
_METRICS_TOKEN = "metrics-token-2f6c81aa90e4"


@dataclass(frozen=True, slots=True)
class Report:
    """The document of `gateway doctor --json`."""

    code: int
    text: str

    @property
    def checks(self) -> dict[str, dict[str, Any]]:
        """The checks by id."""
        return {each["id"]: each for each in json.loads(self.text)["checks"]}

    def assert_failed(self, id: str, *words: str, status: str = "failed") -> None:
        """Check that one check names a fault and its fix, and no secret."""
        found = self.checks[id]
        assert found["status"] == status, found
        assert found["fix"]
        text = " ".join([found["found"], *found["details"]])
        for word in words:
            assert word in text
        assert self.code == (1 if status == "failed" else 0)

    def assert_ok(self, id: str) -> None:
        """Check that the assumption is true."""
        assert self.checks[id]["status"] == "ok", self.checks[id]


Doctor = Callable[..., Awaitable[Report]]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of this folder's tests, in which nothing else fails."""
    env = {"GATEWAY_METRICS_TOKEN": _METRICS_TOKEN}
    with Stack(plan_throwaway(tmp_path_factory.mktemp("doctor"), env)) as running:
        wait_for_catalogue(running.pocketbase)
        yield running


@pytest.fixture
def doctor(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """Run the checks with these ids or groups: `await doctor("collections.rules", SETTING="x")`.

    The working directory is the test's own; an empty variable removes one.
    """
    monkeypatch.chdir(tmp_path)

    async def run(*ids: str, options: tuple[str, ...] = (), **env: str) -> Report:
        chosen = [part for id in ids for part in ("--only", id)]
        given = {
            name: text for name, text in stack.gateway.env.items() if name.startswith(_SETTINGS)
        }
        return await asyncio.to_thread(_run, ("--json", *chosen, *options), given | env)

    return run


def _run(arguments: tuple[str, ...], env: dict[str, str]) -> Report:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        result = CliRunner().invoke(main, ("doctor", *arguments), env=env)
    finally:
        root.handlers[:], root.level = handlers, level
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    secrets = [
        env.get(name, "")
        for name in ("POCKETBASE_SUPERUSER_PASSWORD", "STRIPE_SECRET_KEY", "GATEWAY_METRICS_TOKEN")
    ]
    for secret in (*secrets, env.get("POCKETBASE_SUPERUSER_EMAIL", ""), "eyJ", "whsec_"):
        assert not secret or secret not in result.output
    return Report(result.exit_code, result.stdout)
