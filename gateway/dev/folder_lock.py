"""One run a folder: two PocketBases on the same data would corrupt each other's view."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.dev.errors import StackError


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold the folder for as long as the context lasts.

    Raises:
        StackError: another run holds it.
    """
    # For its owner only: it holds the data, logs and secrets.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            # The kernel lets go of it however this process ends.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(f"Another run uses {folder}: stop it first.") from None
        yield
