"""Moments as operators write them and as PocketBase keeps them."""

import re
from datetime import UTC, datetime, timedelta

from gateway.errors import InvalidRequest

_AGO = re.compile(r"(\d{1,6})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def parse_time(text: str, now: datetime) -> datetime:
    """Read ``2026-11-23``, ``2026-11-23T09:30:00+01:00`` (UTC without a zone) or ``2h`` ago.

    Raises:
        InvalidRequest: it is none of them.
    """
    try:
        if match := _AGO.fullmatch(text.strip()):
            return now - timedelta(**{_UNITS[match[2]]: int(match[1])})
        found = datetime.fromisoformat(text.strip())
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidRequest(
            f"{text!r} is no time: write 2026-11-23, 2026-11-23T09:30:00Z, or 30m, 2h, 7d ago."
        ) from None


def column(moment: datetime) -> str:
    """The moment as a date column has it."""
    text = moment.astimezone(UTC).isoformat(" ", "milliseconds")  # %Y has no leading zeros.
    return text.removesuffix("+00:00") + "Z"


def read_column(text: str) -> datetime:
    """The moment that a date column shows."""
    return datetime.fromisoformat(text)
