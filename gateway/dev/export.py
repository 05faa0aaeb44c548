"""Copies what a PocketBase image needs into one folder."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from gateway.dev.errors import StackError
from gateway.dev.hook_files import list_hooks
from gateway.dev.project import Project
from gateway.pocketbase_files import HOOKS, MIGRATIONS, find_image_file

#: The start of PocketBase, and the health check of every image.
_IMAGE_FILES = ("pocketbase-start.sh", "check-http")
_SUPERUSER_HOOKS = Path(__file__).resolve().parent / "superuser"


def export_pocketbase(project: Project, folder: Path) -> None:
    """Write `hooks`, `migrations`, `public`, `superuser` and the scripts of an image into a folder.

    Raises:
        StackError: the project has a file with the name of one of the gateway.
    """
    _copy((HOOKS, project.hooks), folder / "hooks")
    _copy((MIGRATIONS, project.migrations), folder / "migrations")
    _copy((_SUPERUSER_HOOKS,), folder / "superuser")
    if project.public:
        _copy((project.public,), folder / "public")
    for name in _IMAGE_FILES:
        shutil.copy(find_image_file(name), folder / name)


def _copy(sources: Iterable[Path], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for source in sources:
        for file in list_hooks(source):
            target = folder / file.relative_to(source)
            if target.exists():
                raise StackError(f"{file} has the name of a file of the gateway: rename it.")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
