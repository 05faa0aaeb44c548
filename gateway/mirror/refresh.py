"""Writes the row of an object that a request has just read, without waiting for the webhook.

In whichever order the read and the webhook arrive, the row ends in the same state: on a conflict,
the object is read again and written under the guard of the conflict.
"""

import logging
from dataclasses import replace
from functools import partial
from uuid import uuid4

import stripe

from gateway.errors import PocketBaseUnavailable
from gateway.mirror.event_change import project
from gateway.mirror.expansion import collapse
from gateway.mirror.locks import ObjectLocks
from gateway.mirror.nested_lists import complete
from gateway.mirror.registry import path_of
from gateway.pocketbase import CommitBatch, PocketBase, VersionConflict, VersionedRow, commit
from gateway.rows import Json, OwnershipClaim, Row, Version
from gateway.stripe_api import Snapshot, read_object

_log = logging.getLogger(__name__)

#: Tries for a row that other writers change.
_MAX_ATTEMPTS = 6


class Refresher:
    """Writes snapshots of mirrored objects that have an id of their own."""

    def __init__(
        self, pocketbase: PocketBase, client: stripe.StripeClient, locks: ObjectLocks
    ) -> None:
        self._pocketbase = pocketbase
        self._stripe = client
        self._locks = locks

    async def apply(self, snapshot: Snapshot) -> Json:
        """Update the object's row; return the object as last read.

        Raises:
            PocketBaseUnavailable: the row kept changing, or PocketBase does not answer.
            PocketBaseRefused: PocketBase can't store the row.
            StripeUnavailable, StripeRefused: the object had to be read again, and could not.
            Missing: Stripe no longer has it.
        """
        kind, stripe_id = snapshot.body["object"], snapshot.body["id"]
        read = partial(read_object, self._stripe)
        async with self._locks.of(stripe_id):
            conflict: VersionConflict | None = None
            for _ in range(_MAX_ATTEMPTS):
                snapshot = await complete(read, snapshot)
                row, claims = project_snapshot(snapshot, conflict)
                result = await commit(self._pocketbase, CommitBatch(rows=[row], claims=claims))
                conflict = result.conflicts[0]
                if conflict is None:
                    return snapshot.body
                snapshot = await read(path_of(kind, stripe_id))
        _log.warning("row write conflict", extra={"object": stripe_id})
        raise PocketBaseUnavailable("The row kept changing while it was written.")


def project_snapshot(
    snapshot: Snapshot, conflict: VersionConflict | None, event: int | None = None
) -> tuple[VersionedRow, tuple[OwnershipClaim, ...]]:
    """Return the row of a snapshot, and the ownership claims of the object.

    Args:
        conflict: the conflict that the read resolves.
        event: index in the batch of the event that the read is for.
    """
    changes = project(collapse(snapshot.body))
    version = version_of_read(changes.row, snapshot.as_of, snapshot.until)
    claims = tuple(replace(claim, since=snapshot.until) for claim in changes.claims)
    return VersionedRow(changes.row, version, event=event, expect=conflict), claims


def version_of_read(row: Row, as_of: int, until: int) -> Version:
    """Return the version of a row that was read, between two seconds of Stripe's clock."""
    return Version(int(row.final), as_of, until, row.rank, f"read_{uuid4().hex}")
