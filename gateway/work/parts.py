"""Work handlers for work that is too long for one PocketBase transaction.

Examples: features of a price with many buyers change, a customer with many rows gets an owner.
PocketBase adds an item to the queue in the transaction of the change, and does one part per call
(pb_hooks/lib/work/parts.js). It stores the progress with each part, so a killed process loses
nothing.
"""

import asyncio
from collections.abc import Iterator
from time import monotonic

from gateway.errors import PocketBaseUnavailable
from gateway.ids import record_id
from gateway.pocketbase import PocketBase
from gateway.pocketbase.contracts.work import DO_PART, PartRequest
from gateway.pocketbase.hook_call import call_hook
from gateway.work.handler import WorkContext, WorkHandler
from gateway.work.item import WorkItem
from gateway.work.outcome import Done, Outcome, Retry

MOVE_ROWS = "gateway.customers.move_rows"
RECOMPUTE = "gateway.entitlements.recompute"
_RETRY_SECONDS = 60


def build_part_handlers(pocketbase: PocketBase) -> Iterator[WorkHandler]:
    """Yield the handlers; they are retried until PocketBase has done the last part."""

    async def run(item: WorkItem, context: WorkContext) -> Outcome:
        while True:
            started = monotonic()
            answer = await call_hook(pocketbase, DO_PART, PartRequest(id=item.id))
            if answer.error:
                return Retry(answer.error, delay=_RETRY_SECONDS)
            if not answer.left:
                return Done()
            # Half of PocketBase's time is for others.
            await asyncio.sleep(monotonic() - started)

    for name in (MOVE_ROWS, RECOMPUTE):
        yield WorkHandler(name, run, tries=0, timeout=None, concurrency=1)


async def finish_parts(pocketbase: PocketBase, handler: str, object: str) -> None:
    """Do all parts of the work about an object, if it is in the queue.

    Raises:
        PocketBaseRefused, PocketBaseUnavailable
    """
    request = PartRequest(id=record_id(f"{handler} {object}"))
    while (answer := await call_hook(pocketbase, DO_PART, request)).left:
        if answer.error:
            raise PocketBaseUnavailable(f"A part failed: {answer.error}")
