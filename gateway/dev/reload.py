"""`python -m gateway.dev.reload`: serves the app of the working directory and reloads it on save.

A parent process imports the gateway's packages once and forks a server per version of the app, so
that a reload imports only the app. All servers share one socket. A new server replaces the old one
when its start is complete; if it fails, the old one continues. SIGHUP starts a version that failed
once more, for example because PocketBase has a further collection.
"""

import argparse
import os
import signal
import socket
import sys
import threading
import time
import traceback
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import uvicorn
from watchfiles import PythonFilter, watch

from gateway.app.loader import load_app
from gateway.app.server import build_config, spare_garbage_collector
from gateway.logs import open_logs
from gateway.settings import SettingsError
from gateway.start_error import StartError

_POLL_MILLISECONDS = 200
#: Open requests of the old server may take so long.
_GRACE_SECONDS = 5.0
_MAX_DELAY_SECONDS = 30.0
_IGNORED_FOLDERS = (".local",)
#: The exit code of a server that stopped because of a wrong setting: another try would not help.
_WRONG_SETTING = 4


class _AppServer(uvicorn.Server):
    """A server that reports the end of its start through a pipe."""

    def __init__(self, config: uvicorn.Config, report: int) -> None:
        super().__init__(config)
        self._report = report

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, then report it."""
        await super().startup(sockets)
        if not self.should_exit:
            os.write(self._report, b"1")


class _Child:
    """A forked server."""

    def __init__(self, listener: socket.socket) -> None:
        report, child_report = os.pipe()
        alive, self._alive = os.pipe()
        self.started_at = time.monotonic()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(report)
            os.close(self._alive)
            _serve(listener, child_report, alive)
        os.close(child_report)
        os.close(alive)
        self._report = report
        self._has_ended = False
        #: None while it runs.
        self.exit_code: int | None = None

    def wait_started(self) -> bool:
        """Wait for the end of the start; return whether it succeeded."""
        return os.read(self._report, 1) == b"1"

    def has_ended(self) -> bool:
        """Return whether the process has ended."""
        if not self._has_ended:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._has_ended = pid != 0
            self.exit_code = os.waitstatus_to_exitcode(status) if self._has_ended else None
        return self._has_ended

    def stop(self) -> None:
        """Send SIGTERM, and SIGKILL after the grace period."""
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_SECONDS
        while not self.has_ended():
            if time.monotonic() > deadline:
                self._signal(signal.SIGKILL)
            time.sleep(0.02)
        os.close(self._report)
        os.close(self._alive)

    def _signal(self, number: signal.Signals) -> None:
        if not self.has_ended():
            os.kill(self.pid, number)


class Reloader:
    """Keeps one server of the newest working version of the app."""

    def __init__(self, folder: Path, listener: socket.socket) -> None:
        self._folder = folder
        self._listener = listener
        self._child: _Child | None = None
        self._starting: _Child | None = None
        self._stop = threading.Event()
        self._has_failed = False
        self._is_retry_requested = False
        self._delay = 0.0
        self._retry_at = 0.0

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._request_stop)
        signal.signal(signal.SIGHUP, self._request_retry)
        changes = watch(
            self._folder,
            watch_filter=PythonFilter(ignore_paths=[self._folder / n for n in _IGNORED_FOLDERS]),
            debounce=100,
            step=20,
            rust_timeout=_POLL_MILLISECONDS,
            yield_on_timeout=True,
            stop_event=self._stop,
            raise_interrupt=False,
        )
        # The first iteration starts the app: a file that is saved meanwhile is noticed.
        for changed in changes:
            if changed:
                names = sorted({os.path.relpath(path, self._folder) for _, path in changed})
                print(f"{', '.join(names)} changed: reloading the app", flush=True)
                self._delay = 0.0
                self._replace()
            elif not self._stop.is_set():
                self._retry_if_requested()
                self._restart_if_ended()
        if self._child:
            self._child.stop()

    def _request_stop(self, number: int, frame: FrameType | None) -> None:
        self._stop.set()
        if self._starting:
            # A start that is under way ends as well.
            os.kill(self._starting.pid, signal.SIGTERM)

    def _request_retry(self, number: int, frame: FrameType | None) -> None:
        self._is_retry_requested = True

    def _retry_if_requested(self) -> None:
        if self._is_retry_requested and self._has_failed:
            print("PocketBase has changed: loading the app again", flush=True)
            self._replace()
        self._is_retry_requested = False

    def _replace(self) -> None:
        self._postpone()
        old, new = self._child, _Child(self._listener)
        self._starting = new
        is_started = new.wait_started()
        self._starting = None
        self._has_failed = not is_started
        if is_started:
            self._child = new
            if old:
                old.stop()
                print("the app is reloaded", flush=True)
            return
        new.stop()
        if old and not old.has_ended():
            print("The app was not reloaded; the code from before continues.", flush=True)
        elif not self._stop.is_set():
            self._child = None
            if new.exit_code == _WRONG_SETTING:
                self._retry_at = float("inf")
                print("Correct the setting in .env: the app starts when it is saved.", flush=True)
            else:
                print("The app can't start. It starts again when a file is saved.", flush=True)

    def _restart_if_ended(self) -> None:
        if self._child and self._child.has_ended():
            print("The app ended by itself; starting it again.", flush=True)
            long_lived = time.monotonic() - self._child.started_at > _MAX_DELAY_SECONDS
            self._child.stop()
            self._child = None
            self._delay = 0.0 if long_lived else self._delay
            self._retry_at = time.monotonic() + self._delay
        if self._child is None and time.monotonic() >= self._retry_at:
            self._replace()

    def _postpone(self) -> None:
        """Set the time of the next start in case that this one fails or ends soon."""
        self._delay = min(max(1.0, 2 * self._delay), _MAX_DELAY_SECONDS)
        self._retry_at = time.monotonic() + self._delay


def _serve(listener: socket.socket, report: int, alive: int) -> NoReturn:
    """Load the app and serve it; the process ends here."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, args=(alive,), daemon=True).start()
    code = 1
    try:
        app = load_app()
        open_logs(app.settings.gateway_log_level, app.settings.gateway_log_format)
        server = _AppServer(build_config(app), report)
        server.run(sockets=[listener])
        code = 0 if server.started else 3
    except StartError as error:
        print(error, file=sys.stderr)
        code = _WRONG_SETTING if isinstance(error, SettingsError) else 1
    except SystemExit:
        # uvicorn has logged why the start failed.
        code = 3
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _end_with_parent(alive: int) -> None:
    # The parent never writes: the read returns when the parent has ended.
    os.read(alive, 1)
    os._exit(1)


def _listen(host: str, port: int) -> socket.socket:
    """Bind the socket; the first server listens on it."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.set_inheritable(True)
    return listener


def main() -> None:
    """Serve the app of the working directory."""
    parser = argparse.ArgumentParser(prog="python -m gateway.dev.reload", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options: Any = parser.parse_args()
    # Imported before the fork: what the app and the server would import one by one.
    from gateway.app import application  # noqa: F401

    spare_garbage_collector()
    Reloader(Path.cwd(), _listen(options.host, options.port)).run()


if __name__ == "__main__":
    main()
