"""How single members are read, whatever they hold."""

import json
from typing import Any

import pytest
from hypothesis import given

from gateway import shapes
from gateway.ids import record_id
from tests.projections.junk import JUNK


@pytest.mark.parametrize(
    ("value", "amount"),
    [(7, 7), (-1, -1), (1.5, 1.5), ("0.5", 0.5), (None, 0), (True, 0), ("NaN", 0), ([], 0)],
)
def test_number(value: Any, amount: float) -> None:
    """Numbers and decimals in texts count; what is none, or endless, is 0."""
    assert shapes.number(value) == amount


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
    assert isinstance(shapes.text(value), str)
    assert isinstance(shapes.number(value), int | float)
    assert isinstance(shapes.stripe_id(value), str)
    assert isinstance(shapes.mapping(value), dict)
    assert all(isinstance(item, dict) for item in shapes.listing(value))
    json.dumps([shapes.number(value), shapes.card(value)], allow_nan=False)
