"""Dates: Stripe's seconds, PocketBase's columns and ISO 8601 are converted in one place."""

import ast
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dates import (
    LAST_UNIX,
    as_unix,
    column_to_unix,
    from_column,
    from_iso,
    http_date_to_unix,
    now_column,
    parse_time,
    to_column,
    unix_to_column,
)
from gateway.dev.pocketbase import ROOT
from gateway.errors import InvalidRequest
from tests.mirror.projections.junk import JUNK

_EAST = timezone(timedelta(hours=14))
_PAIRS = [
    (0, "1970-01-01 00:00:00.000Z"),
    (-1, "1969-12-31 23:59:59.000Z"),
    (1_767_225_599, "2025-12-31 23:59:59.000Z"),
    (1_767_225_600, "2026-01-01 00:00:00.000Z"),
    (1_709_164_800, "2024-02-29 00:00:00.000Z"),
    (4_107_542_399, "2100-02-28 23:59:59.000Z"),
    (LAST_UNIX, "9999-12-31 23:59:59.000Z"),
    (-62_135_596_800, "0001-01-01 00:00:00.000Z"),
]


@pytest.mark.parametrize(("seconds", "column"), _PAIRS)
def test_seconds_and_columns(seconds: int, column: str) -> None:
    """At the edges of years, also of the first and the last one, both ways."""
    assert unix_to_column(seconds) == column
    assert column_to_unix(column) == seconds
    assert to_column(from_column(column)) == column
    assert as_unix(seconds) == seconds


@pytest.mark.parametrize(
    "value", [None, "", "1793491200", True, False, LAST_UNIX + 1, 10**20, float("nan"), [], {}]
)
def test_what_is_no_time_stays_empty(value: Any) -> None:
    """Null never becomes 1970, and nothing is an error."""
    assert unix_to_column(value) == ""
    assert as_unix(value) == 0


@pytest.mark.parametrize("value", [None, "", 0, "0", "x", "2026-13-01 00:00:00.000Z", [], True])
def test_what_is_no_column_is_none(value: object) -> None:
    """An empty column is no time."""
    assert column_to_unix(value) is None


@pytest.mark.parametrize("value", ["", "x", "2026-02-29 00:00:00.000Z"])
def test_a_column_that_must_be_there(value: str) -> None:
    """An empty column is an error for a required time."""
    with pytest.raises(ValueError, match=r"\w"):
        from_column(value)


def test_milliseconds() -> None:
    """They are cut, never rounded into the next second; seconds drop them."""
    assert unix_to_column(1_767_225_599.9) == "2025-12-31 23:59:59.900Z"
    moment = datetime(2025, 12, 31, 23, 59, 59, 999_999, UTC)
    assert to_column(moment) == "2025-12-31 23:59:59.999Z"
    assert column_to_unix("2025-12-31 23:59:59.999Z") == 1_767_225_599


def test_zones() -> None:
    """A column is in UTC; ISO 8601 without a zone is, too, whatever the machine's zone."""
    assert to_column(datetime(2026, 1, 1, 13, 59, 59, tzinfo=_EAST)) == "2025-12-31 23:59:59.000Z"
    assert from_iso("2026-01-01T00:00:00") == from_iso("2026-01-01T14:00:00+14:00")
    assert from_iso("2026-01-01") == datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="time zone"):
        to_column(datetime(2026, 1, 1))


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_beyond_the_calendar(text: str) -> None:
    """In UTC it would be before the year 1 or after 9999: an error of the value."""
    with pytest.raises(ValueError, match=r"\w"):
        from_iso(text)
    with pytest.raises(InvalidRequest):
        parse_time(text, datetime.now(UTC))
    assert column_to_unix(text) is None


def test_headers_and_the_present() -> None:
    """A `Date` header is in seconds; the present has milliseconds."""
    assert http_date_to_unix("Thu, 01 Jan 2026 00:00:00 GMT") == 1_767_225_600
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z", now_column())


@given(st.integers(-62_135_596_800, LAST_UNIX))
def test_every_second_comes_back(seconds: int) -> None:
    """No second is lost on its way through a column."""
    assert column_to_unix(unix_to_column(seconds)) == seconds


@given(JUNK)
def test_any_value(value: Any) -> None:
    """Every reader takes every value of JSON."""
    assert unix_to_column(value) == "" or unix_to_column(value).endswith("Z")
    assert isinstance(as_unix(value), int)
    assert column_to_unix(value) is None or isinstance(value, str)


def test_dates_are_converted_in_one_place() -> None:
    """No other module of the gateway formats or parses a date."""
    names = {"fromisoformat", "isoformat", "fromtimestamp", "strftime", "strptime"}
    names |= {"parsedate_to_datetime"}
    #: Standard Webhooks' own API takes a datetime; a PocketBase date without time; mails.
    allowed = {"dates.py", "hook_signature.py", "filters.py", "bodies.py", "templates.py"}
    beside = []
    for path in (ROOT / "gateway").rglob("*.py"):
        tree = ast.parse(path.read_text())
        used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        if used & names and path.name not in allowed:
            beside.append(path.name)
    assert beside == []


def test_hooks_convert_dates_in_one_place() -> None:
    """In the hooks as well: lib/dates.js alone knows how SQLite and JavaScript write a date."""
    beside = [
        path.name
        for path in (ROOT / "pb_hooks").rglob("*.js")
        if path.name != "dates.js"
        and re.search(r"toISOString|Date\.parse|%Y-%m-%d", path.read_text())
    ]
    assert beside == []
