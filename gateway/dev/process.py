"""A supervised process: start with a log file, health checks, pause, stop."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2

from gateway.dev.errors import StackError
from gateway.pocketbase_files import find_pocketbase_files

_POLL_SECONDS = 0.02
# If the kernel supports it, a child also ends when its parent is killed. The kernel watches the
# starting thread, so one thread that lives as long as this process starts all children.
_STARTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="stack-starter")
_SETPRIV = shutil.which("setpriv")
_CITED_LINES = 10
#: Enough for a stack trace, which is left out.
_CITED_FROM = 200
#: Lines of a Go stack trace: PocketBase panics on a hook that it can't read.
_GO_TRACE = re.compile(
    r"goroutine \d+ |\t\S+\.go:\d+|panic\(\{|[\w.-]+(?:/[\w@.-]+)*\.[\w.(*)]+\(.*\)$"
)
_WITH_STARTER = [_SETPRIV, "--pdeathsig", "KILL", "--"] if _SETPRIV else []


# Prefixes of settings: each process receives only its own, not the others' secrets.
_SETTINGS = ("POCKETBASE_", "STRIPE_", "GATEWAY_", "SIMULATOR_")


def is_go_trace(line: str) -> bool:
    """Return whether a line of a log belongs to a stack trace of PocketBase's own code."""
    return _GO_TRACE.match(line) is not None


def inherit_environment() -> dict[str, str]:
    """Return this process's environment without the settings of the stack."""
    return {name: text for name, text in os.environ.items() if not name.startswith(_SETTINGS)}


def describe_python_path() -> dict[str, str]:
    """Return PYTHONPATH with the checkout, which `make run` doesn't install; else nothing."""
    root = find_pocketbase_files()
    if not (root / "gateway").is_dir():
        return {}
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))}


class Process:
    """A command that can be restarted; its output is appended to one log file."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str],
        health_url: str,
        cwd: Path,
    ) -> None:
        self.name = name
        self.command = tuple(command)
        self.log = log
        self.env = dict(env)
        self.health_url = health_url
        self.cwd = cwd
        self._child: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def pid(self) -> int:
        """The process id.

        Raises:
            StackError: it is not running.
        """
        if self._child is None or self._child.poll() is not None:
            raise StackError(f"{self.name} is not running.")
        return self._child.pid

    @property
    def is_running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Start the process; `wait_healthy` waits until it serves."""
        if self.is_running:
            raise StackError(f"{self.name} is running already.")
        self._child = _STARTER.submit(self._spawn).result()

    def _spawn(self) -> subprocess.Popen[bytes]:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            return subprocess.Popen(
                [*_WITH_STARTER, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.env,
                cwd=self.cwd,
                # A separate process group: Ctrl-C in the terminal reaches only the supervisor,
                # which then stops the processes in order.
                process_group=0,
            )

    def is_healthy(self) -> bool:
        """Return whether `health_url` answers 200."""
        with httpx2.Client(trust_env=False, timeout=2.0) as client:
            return self.is_running and _answers(
                client, self.health_url, lambda answer: answer.status_code == httpx2.codes.OK
            )

    def wait_healthy(
        self, within: float = 60.0, is_cancelled: Callable[[], bool] = lambda: False
    ) -> None:
        """Wait until `health_url` answers 200, or until cancelled.

        Raises:
            StackError: the process ended, or did not answer within `within` seconds.
        """
        self._wait_for(self.health_url, "healthy", within, is_cancelled)

    def wait(self, within: float | None = None) -> int | None:
        """Wait for the end; return the exit code, or None if it still runs after `within` s."""
        if self._child is None:
            return None
        try:
            return self._child.wait(within)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, within: float = 10.0) -> None:
        """End the process: by SIGTERM, and by SIGKILL if it still runs after `within` seconds."""
        self._signal(signal.SIGTERM)
        self.resume()
        if self.is_running and self.wait(within) is None:
            self.kill()

    def kill(self) -> None:
        """End the process and its children at once, by SIGKILL."""
        if self.is_running:
            os.killpg(self.pid, signal.SIGKILL)
            self.wait()

    def pause(self) -> None:
        """Freeze the process (SIGSTOP): connections stay open, but get no answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Continue a paused process (SIGCONT)."""
        self._signal(signal.SIGCONT)

    def restart(self, within: float = 60.0) -> None:
        """Stop the process if it runs, start it again and wait until it is healthy."""
        self.stop()
        self.start()
        self.wait_healthy(within)

    def read_last_lines(self, count: int = 10) -> list[str]:
        """Return the log's last lines since the last start."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace").splitlines()[-count:]

    def describe_end(self) -> str:
        """Return a sentence about the end of the process, with the log's last lines."""
        code = self.wait(0)
        how = f"by {signal.Signals(-code).name}" if code and code < 0 else f"with exit code {code}"
        return f"{self.name} ended {how}; {self._cite_log()}"

    def _cite_log(self) -> str:
        last = [line for line in self.read_last_lines(_CITED_FROM) if not is_go_trace(line)]
        lines = [f"  {line}" for line in last[-_CITED_LINES:]]
        return "\n".join([f"its log {self.log} ends with:", *lines])

    def _wait_for(
        self,
        url: str,
        state: str,
        within: float,
        is_cancelled: Callable[[], bool],
        is_enough: Callable[[httpx2.Response], bool] = lambda answer: answer.status_code == 200,
    ) -> None:
        deadline = time.monotonic() + within
        with httpx2.Client(trust_env=False, timeout=2.0) as client:
            while not (is_cancelled() or _answers(client, url, is_enough)):
                if self.wait(_POLL_SECONDS) is not None:
                    raise StackError(self.describe_end())
                if time.monotonic() > deadline:
                    raise StackError(
                        f"{self.name} did not become {state} in {within:g} s; {self._cite_log()}"
                    )

    def _signal(self, number: signal.Signals) -> None:
        if self.is_running:
            os.kill(self.pid, number)


def _answers(client: httpx2.Client, url: str, is_enough: Callable[[httpx2.Response], bool]) -> bool:
    try:
        return is_enough(client.get(url))
    except httpx2.HTTPError:
        return False
