"""The `pocketbase migrate` command on a PocketBase that is stopped."""

import subprocess

from stack.pocketbase import PocketBase


def migrate(pocketbase: PocketBase, *arguments: str) -> str:
    """Run `migrate up`, or `migrate down N` and confirm it; return what it printed."""
    folders = [part for part in pocketbase.command if part.startswith(("--dir", "--migrationsDir"))]
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
