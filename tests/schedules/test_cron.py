"""Cron expressions in time zones, also on days with a change of the clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.schedules.cron import Cron

BERLIN = ZoneInfo("Europe/Berlin")


def _list_ticks(expression: str, timezone: str, start: datetime, days: int) -> list[str]:
    """Return the ticks from a start on, as local times."""
    cron = Cron.of(expression, timezone)
    end = start + timedelta(days=days)
    found = []
    while (start := cron.next_after(start)) < end:
        found.append(start.astimezone(cron.zone).isoformat(timespec="minutes"))
    return found


@pytest.mark.parametrize(
    ("expression", "ticks"),
    [
        # 02:00 is followed by 03:00: the run is not left out.
        ("30 2 * * *", ["28T02:30+01:00", "29T03:00+02:00", "30T02:30+02:00"]),
        ("0 5 * * *", ["28T05:00+01:00", "29T05:00+02:00", "30T05:00+02:00"]),
    ],
)
def test_an_hour_is_skipped(expression: str, ticks: list[str]) -> None:
    """An expression with a fixed hour runs once on that day."""
    found = _list_ticks(expression, "Europe/Berlin", datetime(2026, 3, 28, tzinfo=BERLIN), 3)
    assert found == [f"2026-03-{each}" for each in ticks]


def test_an_hour_is_repeated() -> None:
    """An expression with a fixed hour runs once, one for every hour follows the elapsed time."""
    start = datetime(2026, 10, 25, tzinfo=BERLIN)
    assert _list_ticks("30 2 * * *", "Europe/Berlin", start, 1) == ["2026-10-25T02:30+02:00"]
    every_hour = _list_ticks("0 * * * *", "Europe/Berlin", start, 1)
    assert [each for each in every_hour if "T02" in each] == [
        "2026-10-25T02:00+02:00",
        "2026-10-25T02:00+01:00",
    ]


@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize("expression", ["30 2 * * *", "*/30 * * * *", "15 1,2,3 * * 0", "@daily"])
@pytest.mark.parametrize("day", ["2026-03-07", "2026-03-28", "2026-10-24", "2026-10-31"])
def test_the_latest_tick_is_the_one_before_the_next(
    expression: str, timezone: str, day: str
) -> None:
    """In every hour around changes of the clock, without one that lies ahead."""
    cron = Cron.of(expression, timezone)
    now = datetime.fromisoformat(day).replace(tzinfo=UTC)
    reported = cron.latest_at(now)
    for _ in range(3 * 96):
        now += timedelta(minutes=15)
        following = cron.next_after(reported)
        latest = cron.latest_at(now)
        assert latest <= now
        # A tick of a repeated hour may be found when that hour ends.
        if latest > reported:
            assert latest == following
            reported = latest
        assert following > now - timedelta(hours=1, minutes=15)


@pytest.mark.parametrize(
    ("expression", "timezone", "message"),
    [
        ("0 3 * *", "UTC", "Wrong number of fields"),
        ("61 * * * *", "UTC", "Bad minute"),
        ("0 3 30 2 *", "UTC", "Bad day-of-month"),
        ("", "UTC", "not a cron expression"),
        ("@fortnightly", "UTC", "not a cron expression"),
        ("0 3 * * *", "Europe/Berlim", "no time zone 'Europe/Berlim'"),
        ("0 3 * * *", "", "no time zone ''"),
        ("0 3 * * *", "../etc/passwd", "no time zone"),
    ],
)
def test_mistakes_are_named(expression: str, timezone: str, message: str) -> None:
    """An invalid expression or zone is refused when it is declared."""
    with pytest.raises(ValueError, match=message):
        Cron.of(expression, timezone)
