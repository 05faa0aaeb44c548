"""`pocketbase migrate` on a stopped PocketBase, and the collections of a running one."""

import subprocess
from typing import Any

from gateway.dev.pocketbase import ROOT, PocketBaseProcess
from tests.superuser import open_superuser_client


def migrate(pocketbase: PocketBaseProcess, *arguments: str) -> str:
    """Run `migrate up`, or `migrate down N` and confirm it; return what it printed."""
    # Migrations read names from a module of the hooks.
    options = ("--dir", "--migrationsDir", "--hooksDir", "--hooksWatch")
    folders = [part for part in pocketbase.command if part.startswith(options)]
    done = subprocess.run(
        [pocketbase.command[0], "migrate", *arguments, *folders, "--automigrate=false"],
        env=pocketbase.env,
        input="y\n",
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return done.stdout


def migrate_before(pocketbase: PocketBaseProcess, name: str) -> None:
    """Undo the migration of this name and all later ones."""
    count = sum(path.name >= name for path in (ROOT / "pb_migrations").glob("*.js"))
    migrate(pocketbase, "down", str(count))


def list_collections(pocketbase: PocketBaseProcess) -> list[dict[str, Any]]:
    """Return all collections, PocketBase's own included."""
    with open_superuser_client(pocketbase) as client:
        answer = client.get("/api/collections", params={"perPage": 200})
    collections: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
    return collections


def migrate_project(pocketbase: PocketBaseProcess, name: str, migration: str) -> None:
    """Run a migration of a project's own, from a folder without the gateway's."""
    folder = pocketbase.data_dir.parent / "own"
    folder.mkdir()
    (folder / name).write_text(migration)
    command = pocketbase.command
    pocketbase.command = tuple(
        f"--migrationsDir={folder}" if part.startswith("--migrationsDir") else part
        for part in command
    )
    migrate(pocketbase, "up")
    pocketbase.command = command
