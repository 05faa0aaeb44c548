"""Billing meters and meter events: usage, counted once for each identifier."""

from typing import Any

from stripe_simulator.errors import invalid
from stripe_simulator.parameters import optional, required, set_fields
from stripe_simulator.settings import DAY
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def create_meter(world: World, params: JSON) -> JSON:
    """POST /v1/billing/meters; Stripe sends only thin events for meters."""
    mapping = params.get("customer_mapping") or {}
    values = params.get("value_settings") or {}
    meter: JSON = {
        "id": world.ids.timed("mtr_test", world.now),
        "object": "billing.meter",
        "created": world.now,
        "customer_mapping": {
            "event_payload_key": mapping.get("event_payload_key", "stripe_customer_id"),
            "type": "by_id",
        },
        "default_aggregation": {
            "formula": required(params.get("default_aggregation") or {}, "formula")
        },
        "display_name": required(params, "display_name"),
        "event_name": required(params, "event_name"),
        "event_time_window": optional(params, "event_time_window"),
        "livemode": False,
        "status": "active",
        "status_transitions": {"deactivated_at": None},
        "updated": world.now,
        "value_settings": {"event_payload_key": values.get("event_payload_key", "value")},
    }
    return world.add(meter)


def update_meter(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/billing/meters/:id."""
    meter = world.get("billing.meter", id)
    set_fields(meter, params, "display_name")
    meter["updated"] = world.now
    return meter


def deactivate(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/billing/meters/:id/deactivate."""
    meter = world.get("billing.meter", id)
    meter |= {"status": "inactive", "updated": world.now}
    meter["status_transitions"] = {"deactivated_at": world.now}
    return meter


def reactivate(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/billing/meters/:id/reactivate."""
    meter = world.get("billing.meter", id)
    meter |= {"status": "active", "updated": world.now}
    meter["status_transitions"] = {"deactivated_at": None}
    return meter


def create(world: World, params: JSON) -> JSON:
    """POST /v1/billing/meter_events; an identifier that was seen before is refused."""
    name = required(params, "event_name")
    meter = _meter_named(world, name)
    payload: dict[str, Any] = required(params, "payload")
    timestamp = _timestamp(world, params)
    _check_value(meter, payload)
    customer = payload.get(meter["customer_mapping"]["event_payload_key"])
    world.get("customer", str(customer), "payload")
    identifier = optional(params, "identifier") or world.ids.letters(24)
    seen = world.facts("meter_event")
    if identifier in seen:
        message = f"An event already exists with identifier {identifier}."
        raise invalid(message, "identifier", "duplicate_meter_event")
    event: JSON = {
        "object": "billing.meter_event",
        "created": world.now,
        "event_name": name,
        "identifier": identifier,
        "livemode": False,
        "payload": {key: str(value) for key, value in payload.items()},
        "timestamp": timestamp,
    }
    seen[identifier] = event
    return event


def summaries(world: World, id: str, params: JSON) -> list[JSON]:
    """A customer's usage between two times, in one sum."""
    meter = world.get("billing.meter", id)
    customer = required(params, "customer")
    start, end = int(required(params, "start_time")), int(required(params, "end_time"))
    values = _values(world, meter, customer, start, end)
    if not values:
        return []
    return [
        {
            "id": world.ids.timed("mtrusg_test", world.now),
            "object": "billing.meter_event_summary",
            "aggregated_value": _aggregate(meter, values),
            "end_time": end,
            "livemode": False,
            "meter": id,
            "start_time": start,
        }
    ]


def used(world: World, sub: JSON, item: JSON) -> int:
    """The usage of a metered item in the period before its present one."""
    meter = world.find("billing.meter", item["price"]["recurring"]["meter"])
    if meter is None:
        return 0
    until = int(item["current_period_start"])
    since = int(world.facts("metered_until").get(item["id"]) or item["created"])
    values = _values(world, meter, sub["customer"], since, until)
    world.facts("metered_until")[item["id"]] = until
    return _aggregate(meter, values)


def _aggregate(meter: JSON, values: list[int]) -> int:
    formula = meter["default_aggregation"]["formula"]
    if formula == "count":
        return len(values)
    return sum(values) if formula == "sum" else (values or [0])[-1]


def _timestamp(world: World, params: JSON) -> int:
    """Up to 35 days old, and up to 5 minutes ahead."""
    timestamp = int(optional(params, "timestamp", world.now))
    if timestamp < world.now - 35 * DAY:
        message = "The timestamp is too far in the past."
        raise invalid(message, "timestamp", "timestamp_too_far_in_past")
    if timestamp > world.now + 300:
        message = "The timestamp is too far in the future."
        raise invalid(message, "timestamp", "timestamp_in_future")
    return timestamp


def _check_value(meter: JSON, payload: JSON) -> None:
    key = meter["value_settings"]["event_payload_key"]
    if meter["default_aggregation"]["formula"] == "count" and key not in payload:
        return
    try:
        float(payload[key])
    except (KeyError, ValueError):
        message = f"The payload needs a number under '{key}'."
        raise invalid(message, "payload", "meter_event_invalid_value") from None


def _values(world: World, meter: JSON, customer: str, since: int, until: int) -> list[int]:
    key = meter["customer_mapping"]["event_payload_key"]
    value = meter["value_settings"]["event_payload_key"]
    return [
        int(float(event["payload"].get(value, 1)))
        for event in world.facts("meter_event").values()
        if event["event_name"] == meter["event_name"]
        and event["payload"].get(key) == customer
        and since <= event["timestamp"] < until
    ]


def _meter_named(world: World, name: str) -> JSON:
    for meter in world.all("billing.meter").values():
        if meter["event_name"] == name and meter["status"] == "active":
            return meter
    raise invalid(f"No active meter found for event name {name}.", "event_name", "no_meter")
