"""Empties the payloads of old events, and deletes rows of very old ones (docs/retention.md)."""

from datetime import UTC, datetime, timedelta

from gateway.dates import to_column
from gateway.pocketbase import PocketBase
from gateway.pocketbase.contracts.events import PRUNE, PruneRequest
from gateway.pocketbase.hook_call import call_hook

#: A transaction's share: PocketBase's single writer is held for a few milliseconds.
_PAGE_EVENTS = 500
#: Transactions per call; the next call continues.
_MAX_PAGES = 200


async def prune(
    pocketbase: PocketBase, days: int, *, dry_run: bool = False, rows: bool = False
) -> int:
    """Empty the payloads of events that are older than ``days``, except failed ones.

    Args:
        days: 0 prunes nothing.
        rows: delete the rows instead, so that a redelivery counts as new.

    Returns:
        The number of pruned events, 100,000 at most; in a dry run, of those that would be.
    """
    if not days:
        return 0
    before = to_column(datetime.now(UTC) - timedelta(days=days))
    asked = PruneRequest(before=before, limit=_PAGE_EVENTS, dry_run=dry_run, rows=rows)
    pruned = 0
    for _ in range(_MAX_PAGES):
        answer = await call_hook(pocketbase, PRUNE, asked)
        pruned += answer.pruned
        if dry_run or answer.pruned < _PAGE_EVENTS:
            break
    return pruned
