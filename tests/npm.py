"""Tools that npm installs once for every run and worker."""

import fcntl
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).parents[1] / ".cache"
_INSTALL_SECONDS = 60
_OPTIONS = ("--no-audit", "--no-fund", "--fetch-retries=0", "--fetch-timeout=30000")


class ToolUnavailableError(Exception):
    """The tool cannot be had here; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that npm can install."""

    #: As a sentence names it.
    name: str
    #: Where it is kept, with npm's log and the reason of a failure.
    folder: Path
    #: What npm is asked to do, without its options.
    arguments: Sequence[str]
    #: Returns what the tests use, None while it is not there.
    find: Callable[[], Path | None]


def install_once(tool: Tool, run: str) -> Path:
    """Return the tool, installed on first use; a failed attempt counts for its test run.

    Raises:
        ToolUnavailableError: npm is missing, or did not install it in a minute.
    """
    tool.folder.mkdir(parents=True, exist_ok=True)
    with _lock(tool.folder / "lock"):
        return tool.find() or _install(tool, run, tool.folder / "unavailable")


def _install(tool: Tool, run: str, failure: Path) -> Path:
    # The other workers, and the other tests, do not wait for the same failure again.
    if failure.exists():
        failed_run, reason = failure.read_text().split("\n", 1)
        if failed_run == run:
            raise ToolUnavailableError(reason)
    reason = _run_npm(tool)
    if found := tool.find():
        return found
    failure.write_text(f"{run}\n{reason}")
    raise ToolUnavailableError(reason)


def _run_npm(tool: Tool) -> str:
    """Install the tool; return the reason that holds if it is not there afterwards."""
    npm = shutil.which("npm")
    if npm is None:
        return f"npm, which installs {tool.name}, is not here"
    log = tool.folder / "npm.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [npm, *tool.arguments, *_OPTIONS],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        process.wait(_INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        return f"npm did not install {tool.name} in {_INSTALL_SECONDS} s"
    finally:
        # Whatever npm started ends with it, also when the tests are interrupted.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return f"npm could not install {tool.name}: {_first_error(log)}"


def _first_error(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    return next((line for line in lines if "error" in line), "it holds none for this machine")


@contextmanager
def _lock(file: Path) -> Iterator[None]:
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
