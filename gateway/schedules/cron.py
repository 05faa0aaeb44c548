"""A cron expression in a time zone: its next and its latest tick. Pure.

Days with a change of the clock follow Debian's cron: an expression with a fixed hour runs once on
such a day, at the change if its time is skipped; one with ``*`` follows the elapsed time.
Ticks are in UTC, because datetimes of one zone are compared without the repeated hour.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

_ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


@dataclass(frozen=True, slots=True)
class Cron:
    """A valid expression that has ticks."""

    expression: str
    zone: ZoneInfo

    @classmethod
    def of(cls, expression: str, timezone: str = "UTC") -> Self:
        """Return the expression, with an alias such as ``@daily`` resolved.

        Args:
            expression: minute, hour, day of the month, month and day of the week; with a sixth
                field in front, seconds.
            timezone: a name of the IANA database, such as "Europe/Berlin".

        Raises:
            ValueError: the expression or the time zone is not valid, or there is no such date.
        """
        found = cls(_ALIASES.get(expression.strip().lower(), expression), _read_zone(timezone))
        try:
            found.next_after(datetime.now(UTC))
        except (CronSimError, StopIteration) as error:
            reason = str(error) or "it has no date"
            raise ValueError(f"{expression!r} is not a cron expression: {reason}") from error
        return found

    def next_after(self, moment: datetime) -> datetime:
        """Return the first tick after a moment, in UTC."""
        return next(CronSim(self.expression, moment.astimezone(self.zone))).astimezone(UTC)

    def latest_at(self, moment: datetime) -> datetime:
        """Return the last tick at or before a moment, in UTC."""
        # The simulation excludes its start.
        end = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        found = next(CronSim(self.expression, end.astimezone(self.zone), reverse=True))
        return found.astimezone(UTC)


def _read_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {name!r}") from error
