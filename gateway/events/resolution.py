"""Resolves stored events whose row needs a read from Stripe, as work of the queue.

A delivery stores such an event as `unresolved` and adds the item in the same transaction. An item
resolves all unresolved events of its object, so that one read serves them all.
"""

from collections.abc import AsyncIterator

from gateway.errors import InvalidRequest
from gateway.events.replay import Replayed, Replayer
from gateway.events.stored_events import Selection
from gateway.mirror.event_change import RESOLVE, UNRESOLVED
from gateway.work import Done, Outcome, Park, Retry, WorkContext, WorkHandler, WorkItem

_MAX_PAUSE_SECONDS = 60


def build_resolution(replayer: Replayer) -> WorkHandler:
    """Return the work handler; it is retried until Stripe answers."""

    async def resolve(item: WorkItem, context: WorkContext) -> Outcome:
        results = [each async for each in _replay(replayer, item)]
        details = {each.outcome: each.detail for each in results}
        if "error" in details:
            return Retry(details["error"], delay=min(2**item.attempts, _MAX_PAUSE_SECONDS))
        # A restored event without a payload, too old for Stripe: no attempt can resolve it.
        return Park(details["pruned"]) if "pruned" in details else Done()

    # Without a limit of time: the calls to Stripe have one, and there may be many events.
    return WorkHandler(RESOLVE, resolve, tries=0, timeout=None)


async def _replay(replayer: Replayer, item: WorkItem) -> AsyncIterator[Replayed]:
    """Replay the unresolved events of the item's object; of an unusual id, the item's own event."""
    selection = Selection(object_id=item.key, outcome=UNRESOLVED)
    try:
        is_usual = bool(item.key and selection.filter)
    except InvalidRequest:
        is_usual = False
    found = replayer.replay_selected(selection) if is_usual else replayer.replay_ids([item.source])
    async for each in found:
        yield each
