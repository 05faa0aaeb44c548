"""The images of a project of `gateway new`."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.deadline import wait_until

pytestmark = pytest.mark.skipif(
    "E2E_RUN" in os.environ and "E2E_PROJECT" not in os.environ,
    reason="E2E_NEW_PROJECT=no leaves out its images",
)
_ENV = """\
POCKETBASE_SUPERUSER_EMAIL=admin@example.com
POCKETBASE_SUPERUSER_PASSWORD=SuperSecretPW123
STRIPE_SECRET_KEY=sk_test_mine123
STRIPE_WEBHOOK_SECRETS=whsec_mine123
GATEWAY_HOOK_SECRETS=whsec_S1hQVjVMdHNQbWQ2b3ZvMGNvS2dyT0M1UE5yTStlVzg=
GATEWAY_FRONTEND_ORIGINS=https://shop.example.com
POCKETBASE_PORT=8190
GATEWAY_PORT=8100
"""


@pytest.fixture
def compose() -> Iterator[list[str]]:
    """The command for the project's compose file."""
    folder = Path(os.environ["E2E_PROJECT"])
    (folder / ".env").write_text(_ENV)
    command = ["docker-compose", "--project-name", "shop", "--project-directory", str(folder)]
    command += ["--file", str(folder / "compose.yaml"), "--env-file", str(folder / ".env")]
    for service in ("pocketbase", "gateway"):
        _run(["docker", "tag", f"shop-{service}", f"shop_{service}"])
    yield command
    _run([*command, "down", "--volumes"])


def _run(command: list[str]) -> None:
    import subprocess

    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_new_project_runs(compose: list[str]) -> None:
    """Its images start, and its transform and endpoint are in force."""
    _run([*compose, "up", "-d", "--no-build"])

    def is_ready() -> bool:
        try:
            return httpx.get("http://127.0.0.1:8100/ready").status_code == 200
        except httpx.HTTPError:
            return False

    wait_until(is_ready, 90)
    assert httpx.get("http://127.0.0.1:8190/api/health").status_code == 200
