"""Warns of parked items once per minute, until an operator retries or cancels them."""

import logging
from collections import Counter
from typing import NoReturn

from gateway.background import repeat
from gateway.errors import GatewayError
from gateway.pocketbase import PocketBaseRefused
from gateway.work.queue import WorkQueue

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 60.0


async def watch_parked(queue: WorkQueue, pause: float = _PAUSE_SECONDS) -> NoReturn:
    """While items are parked, log one warning per minute with their number and handlers."""

    async def look() -> None:
        parked: Counter[str] = Counter()
        for count in (await queue.status()).counts:
            if count.status == "parked":
                parked[count.handler] += count.number
        if parked:
            fields = {"number": parked.total(), "handlers": ",".join(sorted(parked))}
            _log.warning("work is parked: see `gateway work list --status parked`", extra=fields)

    await repeat(look, pause, _log, "work status", GatewayError, PocketBaseRefused)
