"""What the gateway does by itself: handle failed events again, prune old payloads.

Several gateways may do it at once: both change nothing the second time.
"""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from typing import NoReturn

from gateway.errors import GatewayError
from gateway.pocketbase import PocketBase
from gateway.webhooks.operations.replay import Replayer
from gateway.webhooks.operations.retention import prune
from gateway.webhooks.operations.stored_events import Selection

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 600.0
#: Stripe's own redeliveries count as well: what has failed this often waits for a new release,
#: which starts with a try of everything, or for an operator.
_MOST_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Runs beside the requests."""

    pocketbase: PocketBase
    replayer: Replayer
    keep_days: int

    async def run(self) -> NoReturn:
        """At once, and then every ten minutes; what fails is logged and tried again."""
        selection = Selection(outcome="failed")
        while True:
            try:
                await self._retry(selection)
                await self._prune()
            except GatewayError as error:
                _log.warning("upkeep put off", extra={"reason": error.detail})
            except Exception:  # Whatever it is, the next round is to come.
                _log.exception("upkeep failed")
            selection = Selection(outcome="failed", attempts_below=_MOST_ATTEMPTS)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _retry(self, selection: Selection) -> None:
        outcomes: Counter[str] = Counter()
        async for result in self.replayer.replay_selected(selection):
            outcomes[result.outcome] += 1
        if outcomes:
            _log.info("failed events handled again", extra=dict(outcomes))

    async def _prune(self) -> None:
        pruned = await prune(self.pocketbase, self.keep_days)
        if pruned:
            _log.info("payloads pruned", extra={"events": pruned})
