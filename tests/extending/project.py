"""A project that `gateway new` made, with a running `gateway dev`."""

import os
import subprocess
import sys
from pathlib import Path

from gateway.dev.pocketbase import ROOT
from gateway.dev.ports import pick_free
from tests.deadline import wait_until
from tests.extending.page import Block, compile_message

_SETTINGS = ("POCKETBASE_", "STRIPE_", "GATEWAY_", "SIMULATOR_", "PYTEST_")
_DEFAULT_PORTS = {"8090": "POCKETBASE_PORT", "8000": "GATEWAY_PORT", "12111": "SIMULATOR_PORT"}
_STEP_SECONDS = 120


class DevProject:
    """Runs commands in a project as its developer does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ports = {name: str(pick_free()) for name in _DEFAULT_PORTS.values()}
        env = {name: text for name, text in os.environ.items() if not name.startswith(_SETTINGS)}
        path = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
        self._env = env | self._ports | {"PATH": path, "PYTHONPATH": str(ROOT)}
        self._log = folder.parent / "dev.log"
        self._dev: subprocess.Popen[bytes] | None = None

    @property
    def printed(self) -> str:
        """The output of `gateway dev`, without the names of the parts."""
        lines = self._log.read_text().splitlines()
        return "".join(f"{line.removeprefix('gateway    | ')}\n" for line in lines)

    def start(self) -> None:
        """Start `gateway dev` and wait until all parts serve."""
        if self._dev:
            return
        with self._log.open("w") as log:
            self._dev = subprocess.Popen(
                ["gateway", "dev"],
                cwd=self.folder,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        dev = self._dev
        ready = "Ctrl-C ends everything"
        wait_until(lambda: ready in self.printed or dev.poll() is not None, 60)
        assert dev.poll() is None, self.printed

    def stop(self) -> None:
        """End `gateway dev`."""
        if self._dev:
            self._dev.terminate()
            self._dev.wait(30)

    def run(self, script: str) -> str:
        """Run a shell script in the project and return what it prints."""
        for number, name in _DEFAULT_PORTS.items():
            script = script.replace(f"127.0.0.1:{number}", f"127.0.0.1:{self._ports[name]}")
        done = subprocess.run(
            ["sh", "-eu", "-c", script],
            cwd=self.folder,
            env=self._env,
            capture_output=True,
            text=True,
            timeout=_STEP_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def save(self, block: Block) -> None:
        """Write a block's file; a running app is reloaded before this returns."""
        reloads = self._count_reloads()
        block.write(self.folder)
        if self._dev and block.file.endswith(".py"):
            wait_until(lambda: self._count_reloads() > reloads, 20)

    def _count_reloads(self) -> int:
        return self.printed.count("\nthe app is reloaded") if self._dev else 0

    def try_wrong(self, block: Block) -> None:
        """Add a wrong block, wait for the message that the page shows, and remove the block."""
        path = self.folder / block.file
        before = path.read_text() if path.exists() else ""
        offset = len(self.printed)
        block.write(self.folder)
        expected = compile_message(block.output)
        try:
            wait_until(lambda: expected.search(self.printed, offset) is not None, 20)
        except AssertionError:
            raise AssertionError(f"{block.text}\nprinted\n{self.printed[offset:]}") from None
        reloads = self._count_reloads()
        path.write_text(before)
        if path.suffix == ".py":
            wait_until(lambda: self._count_reloads() > reloads, 20)
