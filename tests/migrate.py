"""`pocketbase migrate` on a stopped PocketBase, and the collections of a running one."""

import subprocess
from typing import Any

import httpx

from gateway.dev.pocketbase import PocketBaseProcess


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
        login = {
            "identity": pocketbase.superuser_email,
            "password": pocketbase.superuser_password,
        }
        path = "/api/collections/_superusers/auth-with-password"
        token = client.post(path, json=login).raise_for_status().json()["token"]
        answer = client.get(
            "/api/collections", params={"perPage": 200}, headers={"Authorization": token}
        )
    collections: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
    return collections
