"""Rows of objects that no Stripe list contains: each is read from Stripe."""

import asyncio
from collections.abc import Set
from dataclasses import dataclass

from gateway.mirror.registry import entry_of
from gateway.pocketbase import PocketBase
from gateway.reconcile.comparison import Difference, Found, is_final
from gateway.reconcile.listed_objects import ListedObject
from gateway.reconcile.mirrored_rows import count_rows, walk_rows
from gateway.reconcile.rate_limit import RateLimitedStripe
from gateway.reconcile.repair import Outcome, Repairer
from gateway.rows import Json
from gateway.stripe_api import Missing


@dataclass(frozen=True, slots=True)
class AbsentRows:
    """Reads objects that lists omit: an inline price, a detached card, a deleted object."""

    pocketbase: PocketBase
    stripe: RateLimitedStripe
    repairer: Repairer

    async def repair(self, kind: ListedObject, rows: str, listed: Set[str], stored: int) -> Outcome:
        """Read the objects of rows that were not listed, and repair the rows.

        A row is marked as deleted only if Stripe answers ``deleted: true``; one that Stripe does
        not know at all is reported as missing and left as it is.

        Args:
            rows: which rows of the collection should have been listed, as a PocketBase filter.
            listed: the Stripe ids that were.
            stored: the number of those that have a row. If there are no further rows, no row is
                read: PocketBase parses the Stripe object of each.
        """
        outcome = Outcome()
        if await count_rows(self.pocketbase, kind.collection, rows) == stored:
            return outcome
        async for page in walk_rows(self.pocketbase, kind.collection, rows):
            absent = [row for row in page if row["stripe_id"] not in listed and not is_final(row)]
            if absent:
                outcome.add(await self._repair(kind, absent))
        return outcome

    async def _repair(self, kind: ListedObject, absent: list[Json]) -> Outcome:
        answers = await asyncio.gather(*(self._look_up(kind, row) for row in absent))
        found = [answer for answer in answers if answer]
        outcome = await self.repairer.repair(kind.collection, found)
        outcome.differences += [
            Difference(kind.collection, row["stripe_id"], "missing")
            for row, answer in zip(absent, answers, strict=True)
            if answer is None
        ]
        return outcome

    async def _look_up(self, kind: ListedObject, row: Json) -> Found | None:
        try:
            snapshot = await self.stripe.read_whole(
                entry_of(kind.object).path_of(row["stripe_id"], as_listed=True)
            )
        except Missing:
            return None
        if snapshot.body.get("deleted") and "deleted" not in row:
            return None
        return Found(snapshot.body, snapshot.as_of, snapshot.until)
