"""No content of an event is an error: the delivery would be refused."""

import json

import pytest
from hypothesis import given, settings

from gateway.notifications.kinds import KINDS, NAMES, describe, is_current
from gateway.notifications.router import NotificationRouter
from gateway.notifications.templates import Templates
from gateway.pocketbase import CommitBatch, EventRow
from gateway.pocketbase.commit import _encode
from gateway.stripe_api.event import parse
from tests.delivery import Json, build_event
from tests.mirror.projections.junk import spoiled

_APP = {"name": "Acme", "url": "", "sender": {"name": "", "address": "a@b.test"}}
_ANNOUNCER = NotificationRouter(frozenset(NAMES), {}, 3600)
_TEMPLATES = Templates(None)


@pytest.mark.parametrize("type", KINDS)
@settings(max_examples=50, deadline=None)
@given(item=spoiled())
def test_junk_is_told_as_far_as_it_goes(type: str, item: Json) -> None:
    """An object of any kind, with junk in it, under each type: a mail of single lines, or none."""
    event = parse(json.dumps(build_event(type, item)))
    assert len(_ANNOUNCER.entries_for(event)) <= 1
    found = describe(event)
    if found.kind:
        mail = _TEMPLATES.render(found.kind, {**found.facts, "app": _APP, "event": "evt_1"})
        assert mail.subject.isprintable()
        assert len(mail.subject) < 500


@pytest.mark.parametrize("has_more", [False, True])
def test_a_receipt_says_that_there_are_more_lines(has_more: bool) -> None:
    """If an event lacks lines of an invoice, the mail mentions further lines."""
    lines = {"object": "list", "data": [{"description": "1 x Pro"}], "has_more": has_more}
    invoice = {"id": "in_1", "object": "invoice", "amount_paid": 1, "lines": lines}
    found = describe(parse(json.dumps(build_event("invoice.paid", invoice))))
    assert found.facts["lines"] == ["1 x Pro", *(["…"] if has_more else [])]


def test_the_end_of_time_can_be_written() -> None:
    """An event of the last second that has a date is told like any other."""
    invoice = {"id": "in_1", "object": "invoice", "amount_paid": 1, "currency": "eur"}
    event = parse(json.dumps(build_event("invoice.paid", invoice, created=253_402_300_799)))
    entries = _ANNOUNCER.entries_for(event)
    batch = CommitBatch([EventRow(event.stripe_id, {}, event.payload, work=entries)])
    assert b'"expires":"9999-12-31 23:59:59.000Z"' in _encode(batch)


@pytest.mark.parametrize(
    ("kind", "status", "cancel_at", "expected"),
    [
        ("payment_failed", "open", "", True),
        ("payment_failed", "paid", "", False),
        ("action_required", "void", "", False),
        ("trial_ending", "trialing", "", True),
        ("trial_ending", "trialing", "2026-12-01 00:00:00.000Z", False),
        ("trial_ending", "active", "", False),
        ("renewal", "active", "", True),
        ("renewal", "past_due", "", True),
        ("renewal", "canceled", "", False),
        ("renewal", "active", "2026-12-01 00:00:00.000Z", False),
        ("receipt", "paid", "", True),
        ("refund", "pending", "", True),
        ("refund", "failed", "", False),
        ("dispute", "won", "", True),
        ("receipt", "a_status_of_the_future", "", True),
    ],
)
def test_what_has_lost_its_point(kind: str, status: str, cancel_at: str, expected: bool) -> None:
    """The present row decides; an unknown status ends no access."""
    assert is_current(kind, {"status": status, "cancel_at": cancel_at}) is expected
    assert is_current(kind, None)
