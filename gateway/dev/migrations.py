"""Links several folders of migrations into one, because PocketBase reads only one."""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

_WRITE_SECONDS = 0.5


def link_migrations(folder: Path, sources: Sequence[Path]) -> None:
    """Fill a folder with links to the files of all sources.

    Files that the dashboard wrote there since the last start are moved to the last source, a team's
    own folder, and linked like the others.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        if file.is_symlink():
            file.unlink()
        else:
            _move(file, sources[-1])
    for source in sources:
        for file in source.glob("*.js"):
            (folder / file.name).symlink_to(file.resolve())


def adopt_migrations(folder: Path, target: Path) -> list[Path]:
    """Move what the dashboard wrote since the last call, and leave links in its place.

    Returns:
        The new files.
    """
    written = [file for file in folder.glob("*.js") if not file.is_symlink() and _is_old(file)]
    for file in written:
        _move(file, target)
        file.symlink_to((target / file.name).resolve())
    return [target / file.name for file in written]


def _is_old(file: Path) -> bool:
    """Whether PocketBase has probably finished writing it."""
    return time.time() - file.stat().st_mtime > _WRITE_SECONDS


def _move(file: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    shutil.move(file, target / file.name)
