"""One folder of migrations for PocketBase, which reads one: this repository's and a team's own."""

import shutil
from collections.abc import Sequence
from pathlib import Path


def link_migrations(folder: Path, sources: Sequence[Path]) -> None:
    """Fill a folder with links to the files of all sources.

    What the dashboard wrote there since the last start moves to the last source: a team's own
    folder, where it is kept and linked like the rest.
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
