"""Converts between date formats: Unix seconds, datetime, PocketBase's columns, ISO 8601. Pure.

- Stripe: Unix seconds; ISO 8601 in v2 events.
- PocketBase: a text column ``2026-01-01 00:00:00.000Z``, "" for no date.
- Operators: ISO 8601, also without a time or zone; ``2h`` for two hours ago.
"""

import re
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

from gateway.errors import InvalidRequest

#: The last second of the year 9999, the latest that a PocketBase column can store.
LAST_UNIX = 253_402_300_799

_AGO = re.compile(r"(\d{1,6})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def to_column(moment: datetime) -> str:
    """Return a date column.

    Raises:
        ValueError: the datetime has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a datetime needs a time zone, for example datetime.now(UTC)")
    # isoformat, because strftime's %Y has no leading zeros.
    return moment.astimezone(UTC).isoformat(" ", "milliseconds").replace("+00:00", "Z")


def day_to_column(day: date) -> str:
    """Return the date column of the start of a day in UTC."""
    return to_column(datetime(day.year, day.month, day.day, tzinfo=UTC))


def unix_to_column(value: Any) -> str:
    """Return a date column from Unix seconds; "" for anything else, so that null is not 1970."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return ""
    return _format(value)


# Objects repeat a few times of day, and formatting is slow.
@lru_cache(maxsize=4096)
def _format(value: float) -> str:
    try:
        return to_column(datetime.fromtimestamp(value, UTC))
    except (OverflowError, ValueError, OSError):
        return ""


def now_column() -> str:
    """Return the current time as a date column."""
    return to_column(datetime.now(UTC))


def as_unix(value: Any) -> int:
    """Return Unix seconds as an integer if a date column can store them, otherwise 0."""
    return int(value) if unix_to_column(value) else 0


def from_column(text: str) -> datetime:
    """Return the datetime in a date column.

    Raises:
        ValueError: the column is empty or not a date.
    """
    return from_iso(text)


def column_to_unix(value: object) -> int | None:
    """Return the Unix seconds in a date column; None for an empty column or another value."""
    if not isinstance(value, str):
        return None
    try:
        return int(from_iso(value).timestamp())
    except (ValueError, OverflowError):
        return None


def from_iso(text: str) -> datetime:
    """Return the datetime in ISO 8601; UTC if the text names no zone.

    Raises:
        ValueError: it is not a datetime, or outside of the years 1 to 9999 in UTC.
    """
    found = datetime.fromisoformat(text)
    try:
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from None


def http_date_to_unix(text: str) -> int:
    """Return the Unix seconds of a ``Date`` header.

    Raises:
        ValueError: it is not a date.
    """
    return int(parsedate_to_datetime(text).timestamp())


def parse_time(text: str, now: datetime) -> datetime:
    """Read ``2026-11-23``, ``2026-11-23T09:30:00+01:00`` (UTC without a zone) or ``2h`` ago.

    Raises:
        InvalidRequest: the text has another format.
    """
    try:
        if match := _AGO.fullmatch(text.strip()):
            return now - timedelta(**{_UNITS[match[2]]: int(match[1])})
        return from_iso(text.strip())
    except (ValueError, OverflowError):
        raise InvalidRequest(
            f"{text!r} is not a time: write 2026-11-23, 2026-11-23T09:30:00Z, or 30m, 2h, 7d ago."
        ) from None
