"""Deletes what is kept no longer, in parts that do not hold up PocketBase's writer."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.events.retention import prune
from gateway.pocketbase import PocketBase, PocketBaseRefused, filter
from gateway.retention.periods import Periods, find_end
from gateway.work import WorkQueue

_log = logging.getLogger(__name__)

#: Records of one list, and lists of one run; the next run continues.
_PAGE_RECORDS, _MAX_PAGES = 100, 20


@dataclass(frozen=True, slots=True)
class Retention:
    """Runs on the schedule ``gateway.retention``; several at once change nothing twice."""

    pocketbase: PocketBase
    work: WorkQueue
    periods: Periods

    async def prune(self) -> None:
        """Delete everything that is due, and log the numbers.

        Raises:
            PocketBaseRefused, PocketBaseUnavailable
        """
        now, periods = datetime.now(UTC), self.periods
        ends = find_end(now, periods.work), find_end(now, periods.parked)
        pruned = {
            "payloads": await prune(self.pocketbase, periods.payloads),
            "events": await prune(self.pocketbase, periods.events, rows=True),
            "work": await self.work.prune(*ends),
            "exports": await self._delete("exports", "created", find_end(now, periods.exports)),
            "reconciliations": await self._delete(
                "reconciliations", "started", find_end(now, periods.reconciliations)
            ),
        }
        if any(pruned.values()):
            _log.info("old data deleted", extra={name: n for name, n in pruned.items() if n})

    async def _delete(self, collection: str, column: str, before: str) -> int:
        """Delete records with their files, one after the other; return their number."""
        if not before:
            return 0
        path = self.pocketbase.records_path(collection)
        is_old = filter(f"{column} != '' && {column} < {{:before}}", before=before)
        query: dict[str, str | int] = {
            "filter": is_old, "fields": "id", "perPage": _PAGE_RECORDS, "skipTotal": 1,
        }  # fmt: skip
        deleted = 0
        for _ in range(_MAX_PAGES):
            found = (await self.pocketbase.call("GET", path, query=query))["items"]
            for record in found:
                deleted += await self._delete_one(f"{path}/{record['id']}")
            if len(found) < _PAGE_RECORDS:
                break
        return deleted

    async def _delete_one(self, path: str) -> bool:
        """Return False if another gateway has deleted it meanwhile."""
        try:
            await self.pocketbase.call("DELETE", path)
        except PocketBaseRefused as refused:
            if refused.status != 404:
                raise
            return False
        return True
