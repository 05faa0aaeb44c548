"""Values of a team's column that can't be stored cost neither the row nor the purchase."""

import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.mirror.registry import BY_OBJECT
from gateway.mirror.team_column import TeamColumn, extend_entries
from gateway.source import Source

_SUBSCRIPTION = {
    "id": "sub_1",
    "object": "subscription",
    "created": 1763856000,
    "status": "active",
    "items": {"object": "list", "data": []},
}


def _project(value: Any) -> dict[str, Any]:
    """Return the row of a subscription with a team's column that has a value."""

    def column(item: dict[str, Any]) -> Any:
        return value

    declared = TeamColumn("subscription", "own", column, Source.of(column))
    entry = extend_entries([BY_OBJECT["subscription"]], [declared])["subscription"]
    return dict(entry.project(_SUBSCRIPTION, False).row.values)


def test_a_datetime_becomes_a_date_column() -> None:
    """As in the row of a mirrored object."""
    values = _project(datetime(2026, 11, 27, 12, tzinfo=UTC))
    assert values["own"] == "2026-11-27 12:00:00.000Z"


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes"], ids=["object", "set", "bytes"])
def test_a_value_that_cannot_be_stored(value: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The row is stored without the column, and the log names the function."""
    with caplog.at_level(logging.ERROR):
        values = _project(value)
    assert "own" not in values
    assert values["status"] == "active"
    [record] = caplog.records
    assert record.column == "own"
    assert "test_team_column.py:" in record.source
