"""Real-shaped events of every API era become the rows that are kept beside them."""

import json
from pathlib import Path

import pytest

from tests.mirror.projections.golden import PAYLOADS, Json, name_of, read_row, row_file

ERAS = sorted(payload.parent.name for payload in PAYLOADS if payload.stem == "invoice.paid")


@pytest.mark.parametrize("payload", PAYLOADS, ids=name_of)
def test_row(payload: Path) -> None:
    """The event becomes its row."""
    assert read_row(payload) == json.loads(row_file(payload).read_text())


def _row(era: str, name: str) -> Json:
    found = [each for each in PAYLOADS if name_of(each) == f"{era}/{name}"]
    return read_row(found[0])


def test_seven_eras_are_covered() -> None:
    """From 2020-08-27 to endive, each era has its subscription and its invoice."""
    assert ERAS == [
        "2020-08-27",
        "2022-11-15",
        "2024-06-20",
        "2025-03-31.basil",
        "2025-09-30.clover",
        "2026-03-25.dahlia",
        "2026-10-28.endive",
    ]


@pytest.mark.parametrize("era", ERAS)
def test_a_subscription_looks_the_same_in_every_era(era: str) -> None:
    """The row is the same for every place of period and price."""
    name = "customer.subscription.updated"

    assert _row(era, name) == _row("2020-08-27", name)


@pytest.mark.parametrize("era", ERAS)
def test_an_invoice_looks_the_same_in_every_era(era: str) -> None:
    """Only the payment is not named since basil; the invoice_payment names it then."""
    row, oldest = _row(era, "invoice.paid"), _row("2020-08-27", "invoice.paid")
    has_payment = era < "2025-03-31"
    assert row["values"].pop("payment") == ("→ pi_3SG5zeLkdIwHu7ix1b" if has_payment else "")

    oldest["values"].pop("payment")
    assert row == oldest


@pytest.mark.parametrize("era", ["2022-11-15", "2025-03-31.basil"])
def test_a_trials_invoice_has_no_payment(era: str) -> None:
    """An invoice of 0 is a paid invoice without a payment."""
    values = _row(era, "invoice.paid-trial")["values"]

    assert (values["total"], values["status"], values["payment"]) == (0, "paid", "")


@pytest.mark.parametrize("era", ["2020-08-27", "2025-09-30.clover"])
def test_a_cancel_shows_when_it_ends(era: str) -> None:
    """Whether Stripe sets `cancel_at_period_end` or only `cancel_at`, the row says the date."""
    values = _row(era, "customer.subscription.updated-cancels")["values"]

    assert values["cancel_at"] == values["current_period_end"] == "2025-11-09 08:53:20.000Z"
    assert values["status"] == "active"
