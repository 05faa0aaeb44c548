"""Old events: a late delivery is fulfilled, a first import is not."""

import json
import time

import pytest

from gateway.notifications.handlers import Handler
from gateway.notifications.router import NotificationRouter
from gateway.source import Source
from gateway.stripe_api.event import parse
from tests.delivery import build_event

_DAY = 86_400


async def _fulfil(event: object, context: object) -> None:
    """Stand for a team's function."""


_HANDLER = Handler.of(_fulfil, ["invoice.paid"], Source.of(_fulfil))
_ROUTER = NotificationRouter(frozenset(["receipt"]), {_HANDLER.name: _HANDLER}, 2 * _DAY)


@pytest.mark.parametrize(
    ("days", "is_import", "expected"),
    [
        (1, False, {"mail", _HANDLER.name}),
        (1, True, {"mail", _HANDLER.name}),
        (3, False, {_HANDLER.name}),
        (25, False, {_HANDLER.name}),
        (3, True, set()),
    ],
)
def test_items_by_age(days: int, is_import: bool, expected: set[str]) -> None:
    """Stripe repeats a delivery for three days: the buyer gets what was paid, but no late mail."""
    invoice = {"id": "in_1", "object": "invoice", "amount_paid": 1, "currency": "eur"}
    created = int(time.time()) - days * _DAY
    event = parse(json.dumps(build_event("invoice.paid", invoice, created=created)))
    entries = _ROUTER.entries_for(event, is_import=is_import)
    assert {entry.handler for entry in entries} == expected
