"""Access to PocketBase: the superuser client, the commit route, and the owner of a user token."""

from gateway.pocketbase.client import PocketBase, PocketBaseRefused
from gateway.pocketbase.commit import (
    CommitBatch,
    CommitResult,
    EventRow,
    VersionConflict,
    VersionedRow,
    commit,
)
from gateway.pocketbase.connections import Answer
from gateway.pocketbase.filters import filter
from gateway.pocketbase.public_client import open_pocketbase_client

__all__ = [
    "Answer",
    "CommitBatch",
    "CommitResult",
    "EventRow",
    "PocketBase",
    "PocketBaseRefused",
    "VersionConflict",
    "VersionedRow",
    "commit",
    "filter",
    "open_pocketbase_client",
]
