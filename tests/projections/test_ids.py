"""Ids that rows are stored under: another id would be another row."""

from hashlib import sha256

import pytest

from gateway.ids import event_id, record_id


def test_a_records_id() -> None:
    """A mirrored row has the first hex digits of its Stripe id's hash."""
    assert record_id("cus_1") == "2908905ede164ca"


@pytest.mark.parametrize("created", [1, 1_763_856_000, 253_402_300_799])
def test_an_events_id(created: int) -> None:
    """An event's row has seven digits of base 36 for its second, and eight for its hash."""
    digest = int.from_bytes(sha256(b"evt_1").digest()[:8])
    made = event_id("evt_1", created)
    assert (int(made[:7], 36), int(made[7:], 36)) == (min(created, 36**7 - 1), digest % 36**8)
    assert len(made) == 15


def test_ids_of_events_sort_by_time() -> None:
    """Whatever their Stripe ids are, a later event's id is the greater one."""
    ids = [event_id(f"evt_{second % 7}", second) for second in range(1_763_856_000, 1_763_856_100)]
    assert ids == sorted(ids)
