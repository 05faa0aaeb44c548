"""Stripe's own command line tool, installed by npm once for every run and worker."""

import fcntl
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

VERSION = "1.52.0"
CACHE = Path(__file__).parents[2] / ".cache" / "stripe-cli"
_INSTALL_SECONDS = 60
_OPTIONS = ("--no-save", "--no-audit", "--no-fund", "--fetch-retries=0", "--fetch-timeout=30000")


class CliUnavailableError(Exception):
    """The tool cannot be had here; the text is the reason."""


def find_cli(run: str) -> Path:
    """Return the tool's binary, installed on first use; a failed attempt counts for its test run.

    Raises:
        CliUnavailableError: npm is missing, or did not install it in a minute.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    with _lock(CACHE / "lock"):
        return _installed() or _install(run, CACHE / "unavailable")


def _installed() -> Path | None:
    folder = CACHE / VERSION / "node_modules" / "@stripe"
    return next(folder.glob("cli-*/bin/stripe*"), None)


def _install(run: str, failure: Path) -> Path:
    # The other workers, and the other tests, do not wait for the same failure again.
    if failure.exists():
        failed_run, reason = failure.read_text().split("\n", 1)
        if failed_run == run:
            raise CliUnavailableError(reason)
    reason = _run_npm()
    if binary := _installed():
        return binary
    failure.write_text(f"{run}\n{reason}")
    raise CliUnavailableError(reason)


def _run_npm() -> str:
    """Install the tool; return the reason that holds if it is not there afterwards."""
    npm = shutil.which("npm")
    if npm is None:
        return "npm, which installs the Stripe CLI, is not here"
    log = CACHE / "npm.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [npm, "install", *_OPTIONS, f"--prefix={CACHE / VERSION}", f"@stripe/cli@{VERSION}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        process.wait(_INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        return f"npm did not install the Stripe CLI in {_INSTALL_SECONDS} s"
    finally:
        # Whatever npm started ends with it, also when the tests are interrupted.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return f"npm could not install the Stripe CLI: {_first_error(log)}"


def _first_error(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    return next((line for line in lines if "error" in line), "it holds none for this machine")


@contextmanager
def _lock(file: Path) -> Iterator[None]:
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
