"""A machine to set up: a folder, a PocketBase, and a Stripe account."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from click.testing import CliRunner
from dotenv import dotenv_values

from gateway.cli import main
from gateway.dev.plan import plan_throwaway
from gateway.dev.pocketbase import PocketBaseProcess
from gateway.dev.stack import Stack
from tests.pocketbase_alone import serve_alone
from tests.simulator.served import Running, run
from tests.superuser import log_in_superuser

KEY = "sk_test_machine"
DOMAIN = "shop.example.com"
URL = f"https://{DOMAIN}/webhooks/stripe"
ADMIN = "ann@example.com"
ADMIN_PASSWORD = "ann's $ecret: 1234"
MAIL_PASSWORD = "mail $ecret"
_SECRET = re.compile("PASSWORD|SECRET|TOKEN|KEY")


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def changes(self) -> list[str]:
        """Return the lines of changes."""
        starts = ("changed  ", "would change")
        return [line for line in self.out.splitlines() if line.startswith(starts)]


@dataclass(slots=True)
class Machine:
    """A deployment's folder, with the services that it uses."""

    folder: Path
    pocketbase: PocketBaseProcess
    stripe: Running
    #: Everything that commands printed.
    printed: list[str] = field(default_factory=list)

    @property
    def env_file(self) -> Path:
        """Return the path of .env."""
        return self.folder / ".env"

    @property
    def env(self) -> dict[str, str | None]:
        """Return the values of .env."""
        return dotenv_values(self.env_file, interpolate=False)

    def write_env(self, *lines: str) -> None:
        """Write a .env that names this machine's PocketBase and Stripe."""
        part = self.pocketbase
        own = (
            f"POCKETBASE_URL={part.url}",
            f"POCKETBASE_SUPERUSER_EMAIL={part.superuser_email}",
            f"POCKETBASE_SUPERUSER_PASSWORD={part.superuser_password}",
            f"STRIPE_API_BASE={self.stripe.base}",
        )
        self.env_file.write_text("\n".join([*own, *lines, ""]))
        self.env_file.chmod(0o600)

    async def init(self, *arguments: str, **variables: str) -> Ended:
        """Run `gateway init`, without a terminal."""
        return await asyncio.to_thread(self._invoke, arguments, variables)

    def _invoke(self, arguments: tuple[str, ...], variables: dict[str, str]) -> Ended:
        root = logging.getLogger()
        handlers, level = root.handlers[:], root.level
        try:
            command = ["init", f"--env-file={self.env_file}", *arguments]
            result = CliRunner().invoke(main, command, env=variables)
        finally:
            root.handlers[:], root.level = handlers, level
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        self.printed.append(result.output)
        return Ended(result.exit_code, result.stdout, result.stderr)

    async def read_settings(self) -> dict[str, Any]:
        """Return PocketBase's settings."""
        return dict(await self._get("/api/settings"))

    async def list_superusers(self) -> set[str]:
        """Return the addresses of the superusers."""
        found = await self._get("/api/collections/_superusers/records")
        return {each["email"] for each in found["items"]}

    async def list_rows(self, collection: str) -> list[dict[str, Any]]:
        """Return the rows of a collection."""
        return list((await self._get(f"/api/collections/{collection}/records"))["items"])

    async def _get(self, path: str) -> Any:
        token = await asyncio.to_thread(log_in_superuser, self.pocketbase)
        async with httpx.AsyncClient(base_url=self.pocketbase.url, trust_env=False) as client:
            answer = await client.get(path, headers={"Authorization": token})
            answer.raise_for_status()
            return answer.json()

    def require_discretion(self) -> None:
        """Check that no command has printed a secret."""
        env = self.env if self.env_file.exists() else {}
        stored = [value for name, value in env.items() if _SECRET.search(name) and value]
        known = [each["secret"] for each in self.stripe.simulator.world.facts("endpoint").values()]
        printed = "\n".join(self.printed)
        for secret in (*stored, *known, KEY, ADMIN_PASSWORD, MAIL_PASSWORD):
            assert secret not in printed

    @property
    def endpoints(self) -> list[dict[str, Any]]:
        """Return copies of the webhook endpoints at Stripe, oldest first."""
        return [dict(each) for each in self.stripe.simulator.world.all("webhook_endpoint").values()]

    @property
    def portals(self) -> list[dict[str, Any]]:
        """Return the configurations of the portal."""
        return list(self.stripe.simulator.world.all("billing_portal.configuration").values())

    def secret_of(self, endpoint: str) -> str:
        """Return the secret of an endpoint."""
        return str(self.stripe.simulator.world.facts("endpoint")[endpoint]["secret"])


@pytest.fixture(scope="module")
def pocketbase(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PocketBaseProcess]:
    """A PocketBase of this file's tests, because they change its settings."""
    with serve_alone(Stack(plan_throwaway(tmp_path_factory.mktemp("machine"))).pocketbase) as part:
        yield part


@pytest_asyncio.fixture
async def machine(
    tmp_path: Path, pocketbase: PocketBaseProcess, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Machine]:
    """A machine with an empty folder and a Stripe account with a catalogue."""
    # Commands look for a running `gateway dev` in the working directory.
    monkeypatch.chdir(tmp_path)
    async with run(api_key=KEY) as stripe:
        made = Machine(tmp_path, pocketbase, stripe)
        yield made
        # Requests that Stripe's OpenAPI document does not allow.
        assert stripe.simulator.violations == []
        made.require_discretion()
