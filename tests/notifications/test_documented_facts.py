"""docs/guides/notifications.md lists the facts of every kind."""

import re

import pytest

from gateway.dev.pocketbase import ROOT
from gateway.notifications.kinds import KINDS, NAMES

_PAGE = (ROOT / "docs" / "guides" / "notifications.md").read_text()
_TABLE = _PAGE.partition("| kind | facts |")[2].partition("\n\n")[0]
_ROWS = re.findall(r"^\| (`.*?) \| (.*) \|$", _TABLE, re.MULTILINE)
_LISTED = {
    kind: set(re.findall(r"`(\w+)`", facts))
    for kinds, facts in _ROWS
    for kind in re.findall(r"`(\w+)`", kinds)
}
#: Values with which every reader returns facts.
_OBJECT = {
    "amount_paid": 1,
    "amount_due": 1,
    "amount_total": 1,
    "mode": "payment",
    "payment_status": "paid",
}


def test_every_kind_is_listed() -> None:
    """Those of mails."""
    assert _LISTED.keys() == set(NAMES)


@pytest.mark.parametrize("type", [type for type in KINDS if not type.startswith("checkout")])
def test_the_facts_of_a_kind_are_listed(type: str) -> None:
    """As the event's reader returns them."""
    kind, read = KINDS[type]
    subject = read(dict(_OBJECT))
    assert subject is not None
    assert set(subject.facts) - {"presentment_currency"} == _LISTED[kind]
