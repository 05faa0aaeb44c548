"""The wheel in an empty environment and an empty folder, as a new user has it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import httpx
import pytest

from gateway.dev.ports import pick_free
from tests.deadline import wait_until

_SETTINGS = ("POCKETBASE_", "STRIPE_", "GATEWAY_", "SIMULATOR_", "PYTHON", "VIRTUAL_ENV")
_INSTALL_SECONDS = 300
_PORTS = ("POCKETBASE_PORT", "GATEWAY_PORT", "SIMULATOR_PORT")


class Installation:
    """A virtual environment with the wheel, and a project made by it."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.bin = folder / "venv" / "bin"
        self.project = folder / "home" / "shop"
        self.project.parent.mkdir()
        self.env = {
            name: text for name, text in os.environ.items() if not name.startswith(_SETTINGS)
        }
        self.env["PATH"] = f"{self.bin}{os.pathsep}{self.env['PATH']}"
        self._run(folder, sys.executable, "-m", "venv", str(folder / "venv"))
        self._run(folder, str(self.bin / "pip"), "install", "--quiet", f"{wheel}[dev]")
        self._run(self.project.parent, "gateway", "new", "shop")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the project."""
        return self._run(self.project, *command)

    def _run(self, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command,
            cwd=folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Installation:
    """An installed wheel; pip needs its index, as every installation of this repository does."""
    return Installation(tmp_path_factory.mktemp("installation"), wheel)


@pytest.fixture
def dev(installation: Installation, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A running `gateway dev`; the addresses by part."""
    ports = {name: str(pick_free()) for name in _PORTS}
    log = tmp_path / "dev.log"
    with log.open("w") as output:
        child = subprocess.Popen(
            [str(installation.bin / "gateway"), "dev"],
            cwd=installation.project,
            env=installation.env | ports,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(
            lambda: "Ctrl-C ends everything" in log.read_text() or child.poll() is not None, 60
        )
        assert child.poll() is None, log.read_text()
        yield {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    finally:
        child.terminate()
        assert child.wait(30) == 0


def test_the_generated_tests_pass(installation: Installation) -> None:
    """`gateway new shop`, then `pytest`, with nothing but the wheel and its extra."""
    done = installation.run("python", "-m", "pytest", "-q", "-W", "error")
    assert re.search(r"^9 passed", done.stdout, re.MULTILINE), done.stdout


def test_a_change_is_live_and_a_purchase_works(
    installation: Installation, dev: dict[str, str]
) -> None:
    """An edited app.py is served without a restart, and a subscription becomes a record."""
    pocketbase, gateway = dev["POCKETBASE_PORT"], dev["GATEWAY_PORT"]
    with httpx.Client(trust_env=False, timeout=20) as client:
        for number in range(3):
            _reload(installation, client, gateway, number)

        account = {"email": f"{token_hex(4)}@example.com", "password": token_hex(8)}
        users = f"{pocketbase}/api/collections/users"
        client.post(f"{users}/records", json=account | {"passwordConfirm": account["password"]})
        signed_in = client.post(
            f"{users}/auth-with-password",
            json={"identity": account["email"], "password": account["password"]},
        ).json()
        bearer = {"Authorization": f"Bearer {signed_in['token']}"}
        order = {
            "items": [{"price": "pro_monthly"}],
            "success_url": f"{pocketbase}/",
            "cancel_url": f"{pocketbase}/",
        }
        session = client.post(f"{gateway}/checkout", json=order, headers=bearer).json()
        assert client.post(session["url"], data={"outcome": "pay", "card": "4242"}).is_redirect
        rows = f"{pocketbase}/api/collections/subscriptions/records"
        wait_until(
            lambda: (
                [row["status"] for row in client.get(rows, headers=bearer).json()["items"]]
                == ["active"]
            ),
            20,
        )
    assert "Hello" not in installation.run("gateway", "show-posts").stdout


def _reload(installation: Installation, client: httpx.Client, gateway: str, number: int) -> None:
    """Add an endpoint; wait until it is served."""
    app = installation.project / "app.py"
    endpoint = f'@app.get("/new{number}")\nasync def new{number}() -> int:\n    return 1\n'
    app.write_text(f"{app.read_text()}\n\n{endpoint}")
    wait_until(lambda: client.get(f"{gateway}/new{number}").status_code == 200, 20)
