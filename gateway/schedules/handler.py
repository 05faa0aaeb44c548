"""Runs schedules: the work handlers of their functions."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from gateway.dates import from_column
from gateway.schedules.schedule import Schedule, Tick
from gateway.work import Done, WorkContext, WorkHandler, WorkItem
from gateway.work.team_function import HandlerContext, call_function


def build_schedule_handlers(
    schedules: Iterable[Schedule], context: HandlerContext
) -> Iterator[WorkHandler]:
    """Yield one handler per schedule.

    Args:
        schedules: the schedules.
        context: the context of every call, without a key.
    """
    for schedule in schedules:
        yield WorkHandler(
            name=schedule.handler,
            run=_runner_of(schedule, context),
            tries=schedule.tries,
            at_most_once=schedule.at_most_once,
            timeout=schedule.timeout,
        )


def _runner_of(schedule: Schedule, context: HandlerContext) -> Any:
    async def run(item: WorkItem, _: WorkContext) -> Done:
        tick = Tick(
            schedule=schedule.name,
            time=from_column(item.payload["tick"]).astimezone(schedule.cron.zone),
            missed=item.payload["missed"],
        )
        return await call_function(
            schedule.function, tick, replace(context, key=item.id, attempt=item.attempts)
        )

    return run
