"""Locks a run's folder, because two PocketBases must not use the same data."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.dev.errors import StackError


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Lock the folder while the block runs.

    Raises:
        StackError: another run uses it.
    """
    # Readable by its owner only: it contains data, logs and secrets.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            # The kernel releases the lock however this process ends.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(f"Another run uses {folder}: stop it first.") from None
        yield
