"""`gateway dev` as a person starts it, in an empty folder and on ports of its own."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil
import pytest

from gateway.dev.plan import plan_throwaway
from gateway.dev.pocketbase import ROOT
from gateway.dev.ports import pick_free
from gateway.dev.stack import Stack
from tests.deadline import wait_until

_SETTINGS = ("POCKETBASE_", "STRIPE_", "GATEWAY_", "SIMULATOR_")


class Run:
    """One `gateway dev`; what it prints is collected in files."""

    def __init__(
        self,
        folder: Path,
        ports: dict[str, int],
        env_file: str,
        env: dict[str, str],
        *,
        name: str = "run",
        project: Path = ROOT / "examples",
    ) -> None:
        self.home = folder
        self.folder = folder / ".local"
        self.ports = ports
        (folder / "dotenv").write_text(env_file)
        self._stdout, self._stderr = folder / f"{name}.out", folder / f"{name}.err"
        plain = {name: text for name, text in os.environ.items() if not name.startswith(_SETTINGS)}
        with self._stdout.open("w") as stdout, self._stderr.open("w") as stderr:
            self.child = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "gateway",
                    "dev",
                    f"--project={project}",
                    f"--folder={self.folder}",
                    f"--env-file={folder / 'dotenv'}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                cwd=ROOT,
                env=plain | {name: str(port) for name, port in ports.items()} | env,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        """The output so far."""
        return self._stdout.read_text()

    @property
    def errors(self) -> str:
        """The standard error so far."""
        return self._stderr.read_text()

    def url(self, part: str) -> str:
        """Return the address of `pocketbase`, `gateway` or `simulator`."""
        return f"http://127.0.0.1:{self.ports[f'{part.upper()}_PORT']}"

    @property
    def parts(self) -> list[psutil.Process]:
        """The processes of the parts."""
        return psutil.Process(self.child.pid).children(recursive=True)

    @property
    def direct_parts(self) -> list[psutil.Process]:
        """The processes of the parts without their children."""
        return [
            part
            for part in psutil.Process(self.child.pid).children()
            if part.status() != psutil.STATUS_ZOMBIE
        ]

    def answers(self, url: str) -> bool:
        """Return whether a server answers."""
        try:
            httpx.get(url, trust_env=False)
        except httpx.TransportError:
            return False
        return True

    def wait_up(self) -> list[psutil.Process]:
        """Wait for the greeting; return the processes of the parts."""
        wait_until(lambda: "Ctrl-C ends everything" in self.output or self._has_ended(), 90)
        assert self.child.poll() is None, self.errors
        return self.parts

    def _has_ended(self) -> bool:
        return self.child.poll() is not None

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send the signal; return the exit code."""
        self.child.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end; return the exit code."""
        return self.child.wait(30)

    def read_secrets(self) -> dict[str, str]:
        """Return what the secrets file holds."""
        lines = (self.folder / "secrets.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def log_in_superuser(self, email: str, password: str) -> httpx.Response:
        """Ask PocketBase for a superuser's token."""
        return httpx.post(
            f"{self.url('pocketbase')}/api/collections/_superusers/auth-with-password",
            json={"identity": email, "password": password},
            trust_env=False,
        )


@pytest.fixture
def start_run(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Start a run: `start_run(env_file="A=b", POCKETBASE_PORT="1")`; all share one folder."""
    ports = _pick_ports()
    with ExitStack() as ends:

        def start(env_file: str = "", project: Path = ROOT / "examples", **env: str) -> Run:
            run = Run(tmp_path, ports, env_file, env, project=project)
            ends.callback(_end, run)
            return run

        yield start


@pytest.fixture
def migrated(tmp_path: Path) -> Path:
    """The database of runs that are not a folder's first; return its folder."""
    pocketbase = Stack(plan_throwaway(tmp_path / ".local")).pocketbase
    pocketbase.copy_migrated()
    return pocketbase.data_dir


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A first run that is up, for tests that only look at it."""
    running = Run(tmp_path_factory.mktemp("run"), _pick_ports(), "", {})
    running.wait_up()
    yield running
    _end(running)


@pytest.fixture
def used_port() -> Iterator[int]:
    """Listen on a loopback port; give its number."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def _pick_ports() -> dict[str, int]:
    return {f"{part}_PORT": pick_free() for part in ("POCKETBASE", "GATEWAY", "SIMULATOR")}


def _end(run: Run) -> None:
    if run.child.poll() is None:
        run.child.terminate()
    run.child.wait(30)
