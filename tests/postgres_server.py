"""A real PostgreSQL server, run by an unprivileged user on a free loopback port."""

import os
import pwd
import shutil
import signal
import subprocess
from itertools import count
from pathlib import Path

import psycopg

from gateway.dev.ports import LOOPBACK, pick_free
from tests.deadline import wait_until

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    # Tests kill the server, never the machine.
    "fsync": "off",
}
_SUPERUSER = "postgres"
_SETPRIV = shutil.which("setpriv")
# The server ends with the tests, also when they are killed.
_ENDING_WITH_US = [_SETPRIV, "--pdeathsig", "QUIT", "--"] if _SETPRIV else []


def find_missing_program() -> str:
    """Return why PostgreSQL can't be started here, "" if it can."""
    missing = [name for name in ("initdb", "postgres") if shutil.which(name) is None]
    return f"PostgreSQL's {missing[0]} is not installed" if missing else ""


class PostgresServer:
    """The server: start, stop, kill, and new databases."""

    def __init__(self, folder: Path) -> None:
        """Create a cluster in a folder that the server's user can reach."""
        self.folder = folder
        self.port = pick_free()
        self._names = count()
        self._child: subprocess.Popen[bytes] | None = None
        self._user = _choose_user()
        if self._user:
            shutil.chown(folder, self._user)
        options = ["--auth=trust", f"--username={_SUPERUSER}", "--encoding=UTF8", "--no-locale"]
        subprocess.run(
            ["initdb", "--pgdata", folder / "data", "--no-sync", *options],
            check=True,
            capture_output=True,
            user=self._user,
            cwd=folder,
        )

    def start(self) -> None:
        """Start the server and wait until it accepts connections."""
        settings = [f"-c{name}={value}" for name, value in _SETTINGS.items()]
        with (self.folder / "log").open("ab") as log:
            self._child = subprocess.Popen(
                [
                    *_ENDING_WITH_US,
                    "postgres",
                    "-D",
                    self.folder / "data",
                    f"-p{self.port}",
                    *settings,
                ],
                stdout=log,
                stderr=log,
                user=self._user,
                cwd=self.folder,
                process_group=0,
            )
        wait_until(self._accepts, within=30)

    def stop(self) -> None:
        """Stop the server; open connections are closed."""
        if self._child and self._child.poll() is None:
            self._child.send_signal(signal.SIGINT)
            self._child.wait(30)

    def kill(self) -> None:
        """End all of the server's processes at once, by SIGKILL."""
        assert self._child
        os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait(30)

    def create_database(self) -> str:
        """Create a database and return its address."""
        name = f"test_{next(self._names)}"
        with psycopg.connect(self._address(_SUPERUSER), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self._address(name)

    def _address(self, database: str) -> str:
        return f"postgresql://{_SUPERUSER}@{LOOPBACK}:{self.port}/{database}"

    def _accepts(self) -> bool:
        assert self._child
        assert self._child.poll() is None, (self.folder / "log").read_text()
        try:
            psycopg.connect(self._address(_SUPERUSER), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _choose_user() -> str | None:
    """Return another user if this one is root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    known = {each.pw_name for each in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"
