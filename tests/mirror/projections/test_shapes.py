"""How single members are read, whatever they hold."""

import json
from typing import Any

import pytest
from hypothesis import given

from gateway.ids import record_id
from gateway.stripe_api import fields as shapes
from tests.mirror.projections.junk import JUNK


@pytest.mark.parametrize(
    ("value", "amount"),
    [(7, 7), (-1, -1), (1.5, 1.5), ("0.5", 0.5), (None, 0), (True, 0), ("NaN", 0), ([], 0)],
)
def test_number(value: Any, amount: float) -> None:
    """Numbers and decimals in texts count; what is none, or endless, is 0."""
    assert shapes.as_number(value) == amount


@pytest.mark.parametrize("value", ["cus_1", {"id": "cus_1", "object": "customer"}])
def test_expandable(value: Any) -> None:
    """An id and the expanded object are the same reference."""
    assert shapes.stripe_id(value) == "cus_1"
    assert shapes.relation(value) == record_id("cus_1")


@pytest.mark.parametrize("value", [None, "", {}, {"id": None}, 7, []])
def test_nothing(value: Any) -> None:
    """No reference is an empty relation."""
    assert shapes.relation(value) == ""


@given(JUNK)
def test_any_value(value: Any) -> None:
    """Every reader takes every value, and gives what its column takes."""
    assert isinstance(shapes.as_text(value), str)
    assert isinstance(shapes.as_number(value), int | float)
    assert isinstance(shapes.stripe_id(value), str)
    assert isinstance(shapes.as_dict(value), dict)
    assert all(isinstance(item, dict) for item in shapes.as_list(value))
    json.dumps([shapes.as_number(value), shapes.card(value)], allow_nan=False)
