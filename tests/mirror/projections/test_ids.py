"""Ids that rows are stored under: another id would be another row."""

import pytest

from gateway.ids import event_id, record_id


def test_a_records_id() -> None:
    """A mirrored row has the first hex digits of its Stripe id's hash."""
    assert record_id("cus_1") == "2908905ede164ca"


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        (1, "0000001by9ebsu9"),
        (1_763_856_000, "0t65k00by9ebsu9"),
        (253_402_300_799, "zzzzzzzby9ebsu9"),
    ],
)
def test_an_events_id(created: int, expected: str) -> None:
    """An event's row has seven digits of base 36 for its second, and eight for its hash."""
    assert event_id("evt_1", created) == expected


def test_ids_of_events_sort_by_time() -> None:
    """A later event has the greater record id, whatever its Stripe id."""
    ids = [event_id(f"evt_{second % 7}", second) for second in range(1_763_856_000, 1_763_856_100)]
    assert ids == sorted(ids)
