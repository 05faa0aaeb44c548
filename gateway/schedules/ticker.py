"""Adds a run to the queue at each tick of a schedule.

Every gateway does it: PocketBase stores the latest tick of a schedule, and the first gateway that
reports a later one adds its run. Between ticks nothing is written.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from gateway.background import log_postponed
from gateway.dates import to_column
from gateway.errors import GatewayError
from gateway.pocketbase import PocketBase, PocketBaseRefused
from gateway.pocketbase.contracts.schedules import STORE_TICKS, DueTick, TicksRequest
from gateway.pocketbase.contracts.work import NewItem
from gateway.pocketbase.hook_call import call_hook
from gateway.schedules.schedule import Schedule

_log = logging.getLogger(__name__)

#: A tick that is reported later than this was missed: no gateway was running, or none reached
#: PocketBase. A run of a schedule that skips missed ticks is also not started later than this.
GRACE = timedelta(seconds=60)
#: Maximum sleep, so that a change of the machine's clock is noticed.
_MAX_SLEEP_SECONDS = 30.0
_RETRY_SECONDS = 2.0


class Ticker:
    """Runs in the background of every gateway with schedules."""

    def __init__(
        self, pocketbase: PocketBase, schedules: Sequence[Schedule], wake: Callable[[], None]
    ) -> None:
        """Report nothing yet.

        Args:
            pocketbase: where ticks and runs are stored.
            schedules: the schedules.
            wake: called after a run was added.
        """
        self._pocketbase = pocketbase
        self._schedules = schedules
        self._wake = wake
        #: By schedule, the latest tick that PocketBase has.
        self._reported: dict[str, datetime] = {}

    async def run(self) -> NoReturn:
        """Report each tick when it is due; log failures and try again."""
        while True:
            try:
                await self.report(datetime.now(UTC))
            except (GatewayError, PocketBaseRefused) as error:
                log_postponed(_log, "schedules", error)
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                await asyncio.sleep(self._sleep_seconds(datetime.now(UTC)))

    async def report(self, now: datetime) -> None:
        """Store the latest tick of each schedule that has a new one.

        Raises:
            PocketBaseRefused, PocketBaseUnavailable
        """
        latest = [(each, each.cron.latest_at(now)) for each in self._schedules]
        due = [(each, tick) for each, tick in latest if self._reported.get(each.name) != tick]
        if not due:
            return
        ticks = tuple(describe_tick(schedule, tick, now) for schedule, tick in due)
        answer = await call_hook(self._pocketbase, STORE_TICKS, TicksRequest(ticks=ticks))
        self._reported |= {schedule.name: tick for schedule, tick in due}
        if answer.added:
            self._wake()

    def _sleep_seconds(self, now: datetime) -> float:
        following = (each.cron.next_after(now) for each in self._schedules)
        left = min(((tick - now).total_seconds() for tick in following), default=_MAX_SLEEP_SECONDS)
        return min(max(left, 0.0) + 0.001, _MAX_SLEEP_SECONDS)


def describe_tick(schedule: Schedule, tick: datetime, now: datetime) -> DueTick:
    """Return the latest tick of a schedule, with its run unless it is left out. Pure."""
    is_missed = now - tick > GRACE
    is_left_out = is_missed and schedule.missed == "skip"
    return DueTick(
        id=schedule.id,
        name=schedule.name,
        cron=schedule.cron.expression,
        timezone=schedule.cron.zone.key,
        tick=to_column(tick),
        item=None if is_left_out else _build_run(schedule, tick, is_missed),
    )


def _build_run(schedule: Schedule, tick: datetime, is_missed: bool) -> NewItem:
    return NewItem(
        id=schedule.run_id(tick),
        kind="tick",
        handler=schedule.handler,
        # Runs of one schedule do not overlap.
        key=schedule.name,
        source=f"{schedule.name} {to_column(tick)}",
        payload={"tick": to_column(tick), "missed": is_missed},
        expires=to_column(tick + GRACE) if schedule.missed == "skip" else "",
        tries=schedule.tries,
        at_most_once=schedule.at_most_once,
    )
