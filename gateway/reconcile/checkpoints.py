"""Checkpoints of PocketBase's database during a run: deliveries wait for those of the writer."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.errors import GatewayError, Unavailable
from gateway.pocketbase import PocketBase
from gateway.pocketbase.contracts.database import CHECKPOINT, CheckpointRequest
from gateway.pocketbase.hook_call import call_hook

_log = logging.getLogger(__name__)

#: Seconds between two: with longer ones, the disk has so much to write that commits wait for it.
_PAUSE_SECONDS = 0.1


@asynccontextmanager
async def deferred_checkpoints(pocketbase: PocketBase) -> AsyncIterator[None]:
    """Make the checkpoints beside PocketBase's writer instead of in its commits.

    They change no rows, so a run goes on without them if they fail.
    """
    task = asyncio.create_task(_make_checkpoints(pocketbase))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await _make_checkpoint(pocketbase, deferred=False)


async def _make_checkpoints(pocketbase: PocketBase) -> None:
    is_working = True
    while is_working:
        is_working = await _make_checkpoint(pocketbase, deferred=True)
        await asyncio.sleep(_PAUSE_SECONDS)


async def _make_checkpoint(pocketbase: PocketBase, *, deferred: bool) -> bool:
    """Return whether a further one can succeed."""
    try:
        await call_hook(pocketbase, CHECKPOINT, CheckpointRequest(deferred=deferred))
    except Unavailable:
        return True
    except GatewayError as error:
        _log.warning("checkpoint failed", extra={"reason": error.detail})
        return False
    return True
