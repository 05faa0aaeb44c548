"""One folder of hooks for PocketBase, which reads one: the gateway's and a project's."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from gateway.dev.errors import StackError


def link_hooks(folder: Path, sources: Sequence[Path]) -> None:
    """Replace a folder by links to the files of all sources.

    Raises:
        StackError: two sources have a file of the same name.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for source in sources:
        for file in list_hooks(source):
            link = folder / file.relative_to(source)
            if link.is_symlink():
                raise StackError(f"{file} has the name of a file of the gateway: rename it.")
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(file.resolve())


def list_hooks(source: Path) -> list[Path]:
    """Return the files below a folder; none if the folder is missing."""
    return sorted(file for file in source.rglob("*") if file.is_file())
