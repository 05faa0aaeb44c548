"""Migrated databases for throwaway stacks: made once per process and copied.

The migrations take two seconds of CPU, a copy none. Copies share the secrets of tokens, and
passwords are hashed at bcrypt's lowest cost: a sign-up with a sign-in takes 7 ms of CPU instead of
150. Both are for stacks of tests alone.
"""

import atexit
import json
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Hashable, Sequence
from contextlib import closing
from pathlib import Path
from threading import Lock

from gateway.hook_settings import HOOK_VARIABLES

#: Options of `pocketbase serve` that decide on the migrated database.
_OPTIONS = ("--migrationsDir", "--hooksDir", "--hooksWatch", "--automigrate")
#: Variables that differ between stacks and tests, and no migration reads.
_IGNORED = {"GATEWAY_HOOK_SECRETS", "PYTEST_CURRENT_TEST", *HOOK_VARIABLES}
#: The lowest that PocketBase accepts; by default 10, each one more doubles the time.
_BCRYPT_COST = 4
_lock = Lock()
_made: dict[Hashable, Path] = {}


def copy_migrated(data_dir: Path, command: Sequence[str], env: dict[str, str]) -> None:
    """Create a data folder with all migrations applied; nothing if they fail.

    Args:
        command: `pocketbase serve` with its options.
        env: PocketBase's environment: migrations read names from it.
    """
    options = [part for part in command if part.startswith(_OPTIONS)]
    folders = [Path(part.partition("=")[2]) for part in options if "Dir=" in part]
    variables = tuple(sorted((name, env[name]) for name in env.keys() - _IGNORED))
    key = (command[0], variables, *map(_describe_files, folders))
    with _lock:
        if key not in _made:
            _made[key] = _migrate(command[0], options, env)
    if _made[key].exists():
        shutil.copytree(_made[key], data_dir)


def _describe_files(folder: Path) -> Hashable:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return tuple((file.resolve(), file.stat().st_mtime_ns) for file in files)


def _migrate(binary: str, options: Sequence[str], env: dict[str, str]) -> Path:
    """Return a folder with a new migrated database; without one if a migration fails."""
    folder = Path(tempfile.mkdtemp(prefix="migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    data = folder / "pb_data"
    done = subprocess.run(
        [binary, "migrate", "up", f"--dir={data}", *options],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    if done.returncode == 0:
        _lower_cost(data / "data.db")
    else:
        # The stack's own start reports what fails.
        shutil.rmtree(data, ignore_errors=True)
    return data


def _lower_cost(database: Path) -> None:
    """Hash the passwords of all auth collections at bcrypt's lowest cost."""
    with closing(sqlite3.connect(database)) as connection, connection:
        found = connection.execute("SELECT id, fields FROM _collections WHERE type = 'auth'")
        for id, text in found.fetchall():
            fields = json.loads(text)
            for each in fields:
                if each["type"] == "password":
                    each["cost"] = _BCRYPT_COST
            changed = (json.dumps(fields), id)
            connection.execute("UPDATE _collections SET fields = ? WHERE id = ?", changed)
