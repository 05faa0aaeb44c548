"""Columns of fields that have moved between API versions, or that events lack."""

from typing import Any

import pytest

from gateway.ids import record_id
from gateway.mirror.event_change import project

Json = dict[str, Any]


def _values(kind: str, **members: Any) -> Json:
    return project({"id": "x_1", "object": kind, **members}).row.values


_COUPON = {"id": "SPRING", "object": "coupon"}
_TIMES = {"start": 1793491200, "end": None}
_DISCOUNT = {
    "id": "di_1",
    "coupon": "SPRING",
    "promotion_code": "promo_1",
    "start": "2026-11-01 00:00:00.000Z",
    "end": "",
}


@pytest.mark.parametrize(
    "members",
    [
        {"discount": {"id": "di_1", "coupon": _COUPON, "promotion_code": "promo_1", **_TIMES}},
        {"discounts": [{"id": "di_1", "coupon": _COUPON, "promotion_code": "promo_1", **_TIMES}]},
        {
            "discounts": [
                {
                    "id": "di_1",
                    "source": {"type": "coupon", "coupon": "SPRING"},
                    "promotion_code": {"id": "promo_1"},
                    **_TIMES,
                }
            ]
        },
    ],
    ids=["until basil", "expanded", "since clover"],
)
def test_discounts_of_a_subscription(members: Json) -> None:
    """The coupon is at the top, in a list, or under ``source``."""
    assert _values("subscription", **members)["discounts"] == [_DISCOUNT]


def test_a_discount_that_is_not_expanded_keeps_its_id() -> None:
    """Since basil events show ids only; `stripe_objects` has the discount's own events."""
    [found] = _values("subscription", discounts=["di_1"])["discounts"]
    assert (found["id"], found["coupon"]) == ("di_1", "")


@pytest.mark.parametrize(
    "members",
    [
        {"tax": 190, "total_tax_amounts": [{"amount": 190}]},
        {"total_taxes": [{"amount": 100}, {"amount": 90}]},
    ],
    ids=["until basil", "since basil"],
)
def test_the_tax_of_an_invoice(members: Json) -> None:
    """One number, or a list of taxes."""
    values = _values("invoice", subtotal=1000, **members)
    assert (values["subtotal"], values["tax"]) == (1000, 190)


@pytest.mark.parametrize(
    "line",
    [
        {"tax_amounts": [{"amount": 19}], "invoice_item": "ii_1", "proration": True},
        {
            "taxes": [{"amount": 19}],
            "parent": {"invoice_item_details": {"invoice_item": "ii_1", "proration": True}},
        },
    ],
    ids=["until basil", "since basil"],
)
def test_the_lines_of_an_invoice(line: Json) -> None:
    """Each line has its id, tax, item, period and proration."""
    period = {"start": 1793491200, "end": 1793491201}
    lines = {"data": [{"id": "il_1", "amount": 100, "period": period, **line}]}
    [found] = _values("invoice", lines=lines)["lines"]
    assert (found["id"], found["tax"], found["invoice_item"]) == ("il_1", 19, "ii_1")
    assert found["proration"] is True
    assert found["period"]["end"] == "2026-11-01 00:00:01.000Z"


def test_what_an_invoice_is_reduced_by() -> None:
    """Each discount with its amount, also of one that only the amounts name."""
    values = _values(
        "invoice",
        discounts=["di_1"],
        total_discount_amounts=[
            {"amount": 50, "discount": "di_1"},
            {"amount": 7, "discount": "di_2"},
        ],
    )
    assert [(each["id"], each["amount"]) for each in values["discounts"]] == [
        ("di_1", 50),
        ("di_2", 7),
    ]


def test_why_a_subscription_ended() -> None:
    """The reason is for the buyer, the details are hidden."""
    details = {"reason": "cancellation_requested", "comment": "as agreed", "feedback": None}
    values = _values(
        "subscription",
        cancellation_details=details,
        start_date=1793491200,
        trial_start=1793491200,
        default_payment_method="pm_1",
    )
    assert values["cancellation_reason"] == "cancellation_requested"
    assert values["cancellation_details"] == details
    assert values["start_date"] == values["trial_start"] == "2026-11-01 00:00:00.000Z"
    assert values["default_payment_method"] == record_id("pm_1")


def test_what_was_bought_in_a_session() -> None:
    """Totals, custom fields, and line items where Stripe was asked for them."""
    item = {
        "id": "li_1",
        "description": "Pro",
        "quantity": 2,
        "amount_subtotal": 200,
        "amount_discount": 20,
        "amount_tax": 0,
        "amount_total": 180,
        "price": {"id": "price_1", "product": "prod_1"},
    }
    values = _values(
        "checkout.session",
        amount_subtotal=200,
        total_details={"amount_discount": 20, "amount_shipping": None, "amount_tax": 0},
        line_items={"data": [item]},
        custom_fields=[
            {
                "key": "size",
                "label": {"custom": "Size", "type": "custom"},
                "type": "dropdown",
                "dropdown": {"options": [], "value": "xl"},
            }
        ],
    )
    assert values["total_details"] == {
        "amount_discount": 20,
        "amount_shipping": 0,
        "amount_tax": 0,
    }
    assert values["custom_fields"] == [
        {"key": "size", "label": "Size", "type": "dropdown", "value": "xl"}
    ]
    assert values["line_items"] == [{**item, "price": "price_1", "product": "prod_1"}]
    assert "line_items" not in _values("checkout.session")


def test_a_charge_that_was_booked_is_the_later_state() -> None:
    """Within a second, a charge with its balance transaction comes after the one without."""
    item = {"id": "ch_1", "object": "charge", "status": "succeeded"}
    early, late = project(item).row, project(item | {"balance_transaction": "txn_1"}).row
    assert late.rank > early.rank
    assert late.values["balance_transaction"] == record_id("txn_1")
