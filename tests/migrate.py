"""`pocketbase migrate` on a stopped PocketBase, and the collections of a running one."""

import subprocess
from typing import Any

import httpx

from gateway.dev.pocketbase import PocketBaseProcess
from tests.superuser import log_in_superuser


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


def list_collections(pocketbase: PocketBaseProcess) -> list[dict[str, Any]]:
    """Return all collections, PocketBase's own included."""
    with httpx.Client(base_url=pocketbase.url, trust_env=False) as client:
        root = {"Authorization": log_in_superuser(pocketbase)}
        answer = client.get("/api/collections", params={"perPage": 200}, headers=root)
    collections: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
    return collections
