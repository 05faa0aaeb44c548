"""Billing periods: the next boundary of a period that began at an anchor (UTC)."""

import calendar
from datetime import UTC, datetime

from stripe_simulator.snapshots import JSON

FIXED = {"day": 86_400, "week": 7 * 86_400}
MONTHS = {"month": 1, "year": 12}


def add_interval(start: int, interval: str, count: int, anchor: int | None = None) -> int:
    """Return `start` plus an interval; months keep the anchor's day where the month has it."""
    if interval in FIXED:
        return start + FIXED[interval] * count
    moment = datetime.fromtimestamp(start, UTC)
    day = datetime.fromtimestamp(start if anchor is None else anchor, UTC).day
    month_index = moment.year * 12 + moment.month - 1 + MONTHS[interval] * count
    year, month = divmod(month_index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return int(moment.replace(year=year, month=month + 1, day=min(day, last)).timestamp())


def period_end(price: JSON, start: int, anchor: int | None = None) -> int:
    """Return the end of a recurring price's period that begins at `start`."""
    recurring = price["recurring"]
    return add_interval(start, recurring["interval"], recurring["interval_count"], anchor)
