"""PocketBase without a gateway, on a copy of a migrated database."""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.dev.pocketbase import PocketBaseProcess


def start_alone(part: PocketBaseProcess) -> None:
    """Start PocketBase with its superuser, and wait until it answers."""
    part.copy_migrated()
    part.ensure_superuser()
    part.start()
    part.wait_healthy()


@contextmanager
def serve_alone(part: PocketBaseProcess) -> Iterator[PocketBaseProcess]:
    """Start PocketBase, and stop it at the end."""
    try:
        start_alone(part)
        yield part
    finally:
        part.stop()
