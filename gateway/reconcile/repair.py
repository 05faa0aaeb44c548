"""Writes rows that differ, as reads from Stripe: a concurrent webhook wins.

A page of a list is a read of each of its objects, made before the rows were read. Where a row's
version does not prove that it is older, PocketBase returns the guard of the row and the object is
read again: then it is at least as new as the row, and is written only if the guard still holds.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.mirror.entitlement_summary import read_summary
from gateway.mirror.refresh import version_of_read
from gateway.mirror.registry import SUMMARY, entry_of
from gateway.pocketbase import (
    CommitBatch,
    PocketBase,
    PocketBaseRefused,
    VersionConflict,
    VersionedRow,
    commit,
)
from gateway.reconcile.comparison import (
    Difference,
    Found,
    compare,
    is_surely_older,
    project_found,
)
from gateway.reconcile.listed_objects import is_unannounced
from gateway.reconcile.mirrored_rows import read_rows
from gateway.reconcile.rate_limit import RateLimitedStripe, with_retries
from gateway.reconcile.write_pace import ROWS, WritePace, take_parts
from gateway.rows import Changes, Json, OwnershipClaim, Version
from gateway.stripe_api import Missing

_log = logging.getLogger(__name__)
#: Rows that are compared at once.
_MAX_COMPARED_ROWS = 100


@dataclass(frozen=True, slots=True)
class _Repair:
    """A row to write, or only its ownership claims."""

    found: Found
    changes: Changes
    #: The row as it was compared.
    stored: Json | None
    difference: Difference | None
    #: The guard of the row, where times alone do not show that it is older.
    conflict: VersionConflict | None = None

    @property
    def version(self) -> Version:
        return version_of_read(self.changes.row, self.found.as_of, self.found.until)

    @property
    def claims(self) -> tuple[OwnershipClaim, ...]:
        """The owner that the object names, if its row has none or is written.

        Claims are dated by the object's creation, because no later time is known. In a first
        import the oldest claim holds, whatever the order of the lists.
        """
        stored = self.stored or {}
        has_owner = bool(stored.get("user") or stored.get("organization"))
        return () if has_owner and not self.difference else self.changes.claims

    @property
    def is_doubtful(self) -> bool:
        return bool(
            self.difference and self.stored and not is_surely_older(self.stored, self.found)
        )


@dataclass(slots=True)
class Outcome:
    """The result for some objects."""

    differences: list[Difference] = field(default_factory=list)
    #: Stripe ids of rows that a webhook changed while they were compared.
    overtaken: list[str] = field(default_factory=list)
    #: By Stripe id, why a row could not be made or written.
    failed: dict[str, str] = field(default_factory=dict)
    #: Stripe ids of objects without a row, also after the repair.
    without_row: set[str] = field(default_factory=set)

    def add(self, other: "Outcome") -> None:
        """Take in another outcome."""
        self.differences += other.differences
        self.overtaken += other.overtaken
        self.failed |= other.failed
        self.without_row |= other.without_row


@dataclass(frozen=True, slots=True)
class Repairer:
    """Compares objects with their rows, and writes differences unless it is a dry run."""

    pocketbase: PocketBase
    stripe: RateLimitedStripe
    dry_run: bool
    pace: WritePace = field(default_factory=WritePace)

    async def repair(self, collection: str, found: Sequence[Found]) -> Outcome:
        """Compare and repair the rows of objects.

        Raises:
            StripeUnavailable, StripeRefused, PocketBaseUnavailable: what is written, is written.
        """
        outcome = Outcome()
        for start in range(0, len(found), _MAX_COMPARED_ROWS):
            await self._repair(collection, found[start : start + _MAX_COMPARED_ROWS], outcome)
        return outcome

    async def _repair(self, collection: str, found: Sequence[Found], outcome: Outcome) -> None:
        rows = await read_rows(self.pocketbase, collection, [each.stripe_id for each in found])
        found_repairs = [_find_repair(each, rows.get(each.stripe_id), outcome) for each in found]
        repairs = [repair for repair in found_repairs if repair and not repair.is_doubtful]
        repairs += await self._resolve(
            [repair for repair in found_repairs if repair and repair.is_doubtful], outcome
        )
        outcome.differences += [repair.difference for repair in repairs if repair.difference]
        outcome.without_row |= {each.stripe_id for each in found if each.stripe_id not in rows}
        if self.dry_run:
            return
        for part in take_parts(repairs, ROWS):
            await self._write(part, outcome)
        outcome.without_row -= {each.found.stripe_id for each in repairs if each.difference}
        outcome.without_row |= outcome.failed.keys()

    async def _resolve(self, doubtful: Sequence[_Repair], outcome: Outcome) -> list[_Repair]:
        """Read again, with PocketBase's guard, the objects whose rows may be newer."""
        if not doubtful:
            return []
        rows = [VersionedRow(each.changes.row, each.version, ask="time") for each in doubtful]
        asked = await with_retries(lambda: commit(self.pocketbase, CommitBatch(rows=rows)))
        resolved = await asyncio.gather(
            *(
                self._resolve_one(each, conflict, outcome)
                for each, conflict in zip(doubtful, asked.conflicts, strict=True)
            )
        )
        return [repair for repair in resolved if repair]

    async def _resolve_one(
        self, repair: _Repair, conflict: VersionConflict | None, outcome: Outcome
    ) -> _Repair | None:
        stored = repair.stored
        if conflict is None or stored is None or conflict.version != stored["version"]:
            outcome.overtaken.append(repair.found.stripe_id)
            return None
        try:
            found = await self._read_again(repair.found)
        except Missing:
            return None  # Deleted since it was listed: the deletion event follows.
        return _find_repair(found, stored, outcome, conflict)

    async def _read_again(self, found: Found) -> Found:
        kind = found.item["object"]
        if kind == SUMMARY:
            snapshot = await read_summary(self.stripe.read, found.stripe_id)
        else:
            snapshot = await self.stripe.read_whole(
                entry_of(kind).path_of(found.stripe_id, as_listed=True)
            )
        return Found(snapshot.body, snapshot.as_of, snapshot.until)

    async def _write(self, repairs: Sequence[_Repair], outcome: Outcome) -> None:
        """In one transaction; one row that PocketBase refuses does not take the others down."""
        changed = [repair for repair in repairs if repair.difference]
        batch = CommitBatch(
            rows=[
                VersionedRow(each.changes.row, each.version, expect=each.conflict)
                for each in changed
            ],
            claims=[claim for repair in repairs for claim in repair.claims],
        )
        try:
            async with self.pace.turn():
                result = await with_retries(lambda: commit(self.pocketbase, batch))
        except PocketBaseRefused as refused:
            if len(repairs) == 1:
                outcome.failed[repairs[0].found.stripe_id] = str(refused)
                return
            for repair in repairs:
                await self._write([repair], outcome)
            return
        outcome.overtaken += [
            repair.found.stripe_id
            for repair, conflict in zip(changed, result.conflicts, strict=True)
            if conflict
        ]


def _find_repair(
    found: Found, stored: Json | None, outcome: Outcome, conflict: VersionConflict | None = None
) -> _Repair | None:
    """Return the repair of a row, None if it needs none."""
    try:
        changes = project_found(found.item)
    except Exception as error:  # A projection must not take the rest of the page down.
        _log.exception("projection failed", extra={"object": found.stripe_id})
        outcome.failed[found.stripe_id] = f"{type(error).__name__}: {error}"
        return None
    difference = compare(changes.row, stored)
    if stored is None and is_unannounced(changes.row):
        return None
    repair = _Repair(found, changes, stored, difference, conflict)
    return repair if difference or repair.claims else None
