"""A schedule: a function, and the times at which it runs."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from gateway.ids import record_id
from gateway.schedules.cron import Cron
from gateway.source import Source
from gateway.start_error import InvalidRegistration
from gateway.work.team_function import require_limits, require_parameters

Missed = Literal["run", "skip"]
#: Prefix of the names under which runs are stored.
PREFIX = "schedule:"


@dataclass(frozen=True, slots=True)
class Tick:
    """A time at which a schedule is due."""

    #: The schedule's name.
    schedule: str
    #: The time by the cron expression, in the schedule's time zone; a run may start later.
    time: datetime
    #: Whether no gateway was running at that time.
    missed: bool


#: A function with two parameters, the tick and the context; a plain one runs in a thread.
ScheduleFunction = Callable[[Tick, Any], Awaitable[Any] | Any]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A function that runs once per tick, with any number of gateways.

    Raises:
        ValueError: an option is not valid; the message names it.
    """

    #: Identifies the schedule; runs are stored under it.
    name: str
    cron: Cron
    function: ScheduleFunction
    #: What happens after a time without a gateway: "run" runs once, for the latest tick.
    missed: Missed = "run"
    #: Attempts before a run is parked.
    tries: int = 5
    at_most_once: bool = False
    #: Seconds that one attempt may take.
    timeout: float = 3600.0
    source: Source = field(default=Source("<unknown>", 0), compare=False)

    def __post_init__(self) -> None:
        if self.missed not in get_args(Missed):
            raise ValueError('missed must be "run" or "skip"')
        require_limits(self.tries, self.timeout)
        require_parameters(self.function, "a schedule", "tick")

    @property
    def handler(self) -> str:
        """Return ``schedule:`` and the name, under which runs are stored."""
        return PREFIX + self.name

    @property
    def id(self) -> str:
        """Return the record id of the state: another expression has its own."""
        return record_id(f"{self.name} {self.cron.expression} {self.cron.zone.key}")

    def run_id(self, tick: datetime) -> str:
        """Return the id of a tick's run, the same in every gateway."""
        return record_id(f"{self.name} {int(tick.timestamp())}")


def require_distinct(schedules: Iterable[Schedule]) -> None:
    """Check that the name of a schedule identifies it.

    Raises:
        InvalidRegistration: two schedules have the same name.
    """
    seen: dict[str, Schedule] = {}
    for schedule in schedules:
        known = seen.setdefault(schedule.name, schedule)
        if known is not schedule:
            raise InvalidRegistration(
                f"{schedule.source}: the schedule at {known.source} is called {schedule.name} too;"
                " runs are stored under that name, so give one another"
            )
