"""Tools that npm installs once for every run and worker."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    #: The folder of the tool, with npm's log and the reason of a failure.
    folder: Path
    #: The arguments of npm, without its options.
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


def install_package(package: str, name: str, source: Path, run: str) -> Path:
    """Return a folder whose scripts can import a package of the lock file in `source`.

    Raises:
        ToolUnavailableError: node or npm is missing, or npm can't install it.
    """
    if shutil.which("node") is None:
        raise ToolUnavailableError(f"node, which runs {name}, is not here")
    cache = CACHE / name.replace(" ", "-").lower()
    lock = (source / "package-lock.json").read_text()
    folder = cache / json.loads(lock)["packages"][f"node_modules/{package}"]["version"]
    folder.mkdir(parents=True, exist_ok=True)
    for file in ("package.json", "package-lock.json"):
        (folder / file).write_text((source / file).read_text())
    arguments = ("ci", "--ignore-scripts", f"--prefix={folder}")

    def find() -> Path | None:
        return folder if (folder / f"node_modules/{package}/package.json").exists() else None

    return install_once(Tool(name, cache, arguments, find), run)


def run_module(code: str, given: Mapping[str, Any], folder: Path) -> str:
    """Run a JavaScript module beside the packages of a folder; return what it printed.

    Args:
        given: the module's `process.argv[2]`, as JSON.
    """
    done = subprocess.run(
        ["node", "--input-type=module", "-", json.dumps(given)],
        input=code,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


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
        # npm's child processes end with it, also when the tests are interrupted.
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
