"""Links several folders of migrations into one, because PocketBase reads only one."""

import shutil
from collections.abc import Sequence
from pathlib import Path


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
            shutil.move(file, sources[-1] / file.name)
    for source in sources:
        for file in source.glob("*.js"):
            (folder / file.name).symlink_to(file.resolve())
