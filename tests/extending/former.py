"""A project that `gateway new` of a former release made, with the database of that release."""

import shutil
import subprocess
from pathlib import Path

from gateway.dev.pocketbase import find_binary
from gateway.pocketbase_files import HOOKS, MIGRATIONS

_PROJECT = Path(__file__).parent / "former_project"
#: So that tools of this repository don't take the files for its own.
_SUFFIX = ".former"
#: The last of the gateway's migrations in the former release.
_LAST_MIGRATION = "1763856111"
_POST = """
migrate((app) => {
  const post = new Record(app.findCollectionByNameOrId("posts"))
  post.set("title", "Before the upgrade")
  app.save(post)
}, () => {})
"""


def create_former_project(folder: Path) -> None:
    """Write the project's files and, in `.local/`, its database with one post."""
    shutil.copytree(_PROJECT, folder)
    for file in [*folder.rglob(f"*{_SUFFIX}")]:
        file.rename(file.with_name(file.name.removesuffix(_SUFFIX)))
    migrations = folder.parent / "former_migrations"
    migrations.mkdir()
    for file in (*MIGRATIONS.glob("*.js"), *(folder / "pb_migrations").glob("*.js")):
        if file.parent != MIGRATIONS or file.name[: len(_LAST_MIGRATION)] <= _LAST_MIGRATION:
            shutil.copy(file, migrations)
    (migrations / "1764000001_post.js").write_text(_POST)
    subprocess.run(
        [
            *(find_binary(), "migrate", "up"),
            f"--dir={folder / '.local' / 'pb_data'}",
            f"--migrationsDir={migrations}",
            f"--hooksDir={HOOKS}",
            "--hooksWatch=false",
        ],
        check=True,
        capture_output=True,
        text=True,
    )
