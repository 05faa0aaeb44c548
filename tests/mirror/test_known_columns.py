"""A column that a team's mirror returns and its collection lacks is logged once."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.mirror.known_columns import remember_columns
from gateway.mirror.team_object import describe_team_object


def test_a_misspelt_column_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """The row has the other columns; the line names the collection and the column."""

    def row(payout: dict[str, Any], deleted: bool) -> dict[str, Any]:
        return {"amount": payout["amount"], "arival": datetime(2026, 1, 1, tzinfo=UTC)}

    entry = describe_team_object("payout", "misspelt_payouts", "/v1/payouts", row)
    remember_columns("misspelt_payouts", ["id", "stripe_id", "created", "amount", "arrival"])
    for _ in range(2):
        changes = entry.project({"id": "po_1", "amount": 5}, False)
        assert changes.row.values["amount"] == 5
    [record] = caplog.records
    assert record.getMessage() == "unknown column"
    facts = vars(record)
    assert (facts["collection"], facts["column"]) == ("misspelt_payouts", "arival")
