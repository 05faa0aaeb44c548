"""Maintenance: replays failed events, adds lost work, and deletes old data.

It runs once when a gateway starts, then on schedules (`gateway.app.schedules`). Several gateways
may do it at once: both change nothing the second time.
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.background import log_postponed
from gateway.errors import GatewayError
from gateway.events.replay import Replayer
from gateway.events.stored_events import Selection
from gateway.retries import retrying
from gateway.work import WorkQueue

_log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS, _MAX_PAUSE_SECONDS = 1.0, 60.0
#: Stripe's own redeliveries count as well: what has failed this often waits for a new release,
#: which starts with a try of everything, or for an operator.
_MAX_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Runs beside the requests."""

    replayer: Replayer
    work: WorkQueue
    #: Deletes what is kept no longer.
    prune: Callable[[], Awaitable[None]]

    async def run_once(self) -> None:
        """Do everything once, after a start; failures are logged and retried."""
        async for attempt in retrying(
            Exception, first=_FIRST_PAUSE_SECONDS, longest=_MAX_PAUSE_SECONDS
        ):
            with attempt:
                await self._start()

    async def _start(self) -> None:
        try:
            await self._add_lost()
            await self._replay(Selection(outcome="failed"))
            await self.prune()
        except GatewayError as error:
            log_postponed(_log, "event maintenance", error)
            raise
        except Exception:
            _log.exception("event maintenance failed")
            raise

    async def replay_failed(self) -> None:
        """Replay failed events with less than 20 attempts; add the items of unresolved ones."""
        await self._add_lost()
        await self._replay(Selection(outcome="failed", attempts_below=_MAX_ATTEMPTS))

    async def _add_lost(self) -> None:
        added = await self.work.add_lost()
        if added.events or added.deletions:
            _log.warning("lost work items added again", extra=added.model_dump())

    async def _replay(self, selection: Selection) -> None:
        outcomes: Counter[str] = Counter()
        async for result in self.replayer.replay_selected(selection):
            outcomes[result.outcome] += 1
        if outcomes:
            _log.info("failed events retried", extra=dict(outcomes))
