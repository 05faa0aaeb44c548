"""Scheduled maintenance: replays failed events and empties old payloads.

Several gateways may do it at once: both change nothing the second time.
"""

import logging
from collections import Counter
from dataclasses import dataclass
from itertools import chain, cycle
from typing import NoReturn

from gateway.background import repeat
from gateway.errors import GatewayError
from gateway.events.replay import Replayer
from gateway.events.retention import prune
from gateway.events.stored_events import Selection
from gateway.pocketbase import PocketBase
from gateway.work import WorkQueue

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 600.0
#: Stripe's own redeliveries count as well: what has failed this often waits for a new release,
#: which starts with a try of everything, or for an operator.
_MAX_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Runs beside the requests."""

    pocketbase: PocketBase
    replayer: Replayer
    work: WorkQueue
    keep_days: int

    async def run(self) -> NoReturn:
        """Run now and then every ten minutes; failures are logged and retried."""
        later = Selection(outcome="failed", attempts_below=_MAX_ATTEMPTS)
        selections = chain([Selection(outcome="failed")], cycle([later]))

        async def look() -> None:
            await self._retry(next(selections))
            await self._prune()

        await repeat(look, _PAUSE_SECONDS, _log, "event maintenance", GatewayError)

    async def _retry(self, selection: Selection) -> None:
        outcomes: Counter[str] = Counter()
        async for result in self.replayer.replay_selected(selection):
            outcomes[result.outcome] += 1
        if outcomes:
            _log.info("failed events retried", extra=dict(outcomes))

    async def _prune(self) -> None:
        pruned = await prune(self.pocketbase, self.keep_days)
        if pruned:
            _log.info("payloads pruned", extra={"events": pruned})
        if items := await self.work.prune():
            _log.info("work pruned", extra={"items": items})
