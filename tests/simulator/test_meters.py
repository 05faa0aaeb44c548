"""Meters: fractions, corrections, cancellations, and a meter that is made again."""

from typing import Any

import pytest

from stripe_simulator.errors import StripeError
from stripe_simulator.settings import DAY
from stripe_simulator.snapshots import JSON
from tests.simulator.test_subscriptions import Shop

_SUM = {"formula": "sum"}


def _meter(shop: Shop) -> JSON:
    return shop.post(
        "billing/meters", display_name="Calls", event_name="calls", default_aggregation=_SUM
    )


def _report(shop: Shop, value: str, **params: Any) -> JSON:
    payload = {"stripe_customer_id": shop.customer, "value": value}
    return shop.post("billing/meter_events", event_name="calls", payload=payload, **params)


def _count(shop: Shop, meter: JSON) -> Any:
    span = {"start_time": shop.world.now - DAY, "end_time": shop.world.now + DAY}
    path = f"/v1/billing/meters/{meter['id']}/event_summaries"
    found = shop.api.call("GET", path, {"customer": shop.customer, **span})["data"]
    return found[0]["aggregated_value"] if found else None


def test_fractions_and_corrections_are_counted() -> None:
    """Values are added as decimals, and may be negative."""
    shop = Shop()
    meter = _meter(shop)
    for value in ("0.1", "0.2", "-1", "2"):
        _report(shop, value)
    assert _count(shop, meter) == 1.3


@pytest.mark.parametrize("value", ["many", "Infinity", "1.000000000000001"])
def test_a_value_is_a_number_of_fifteen_digits(value: str) -> None:
    """Anything else is refused."""
    shop = Shop()
    _meter(shop)
    with pytest.raises(StripeError):
        _report(shop, value)


def test_an_event_is_canceled_within_a_day() -> None:
    """A canceled event counts no more; an older or unknown one can't be canceled."""
    shop = Shop()
    meter = _meter(shop)
    _report(shop, "5", identifier="a")
    _report(shop, "7", identifier="b")
    cancel: JSON = {"event_name": "calls", "type": "cancel"}
    shop.post("billing/meter_event_adjustments", **cancel, cancel={"identifier": "a"})
    assert _count(shop, meter) == 7
    shop.world.clock.advance(DAY + 1)
    for identifier in ("b", "unheard of"):
        with pytest.raises(StripeError):
            shop.post(
                "billing/meter_event_adjustments", **cancel, cancel={"identifier": identifier}
            )


def test_a_meter_made_again_begins_with_nothing() -> None:
    """One active meter has a name; the next one counts what comes after it."""
    shop = Shop()
    meter = _meter(shop)
    _report(shop, "5")
    with pytest.raises(StripeError):
        _meter(shop)
    shop.post(f"billing/meters/{meter['id']}/deactivate")
    shop.world.clock.advance(1)
    again = _meter(shop)
    _report(shop, "7")
    assert (_count(shop, meter), _count(shop, again)) == (5, 7)
