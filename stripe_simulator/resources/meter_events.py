"""Billing meters, meter events and adjustments: usage, counted once for each identifier."""

from decimal import Decimal, InvalidOperation
from typing import Any

from stripe_simulator.errors import invalid
from stripe_simulator.parameters import optional, required, set_fields
from stripe_simulator.settings import DAY
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

#: Significant digits of a value.
MAX_DIGITS = 15


def create_meter(world: World, params: JSON) -> JSON:
    """POST /v1/billing/meters; Stripe sends only thin events for meters."""
    name = required(params, "event_name")
    for other in world.all("billing.meter").values():
        if other["event_name"] == name and other["status"] == "active":
            raise invalid(f"An active meter with event name {name} exists.", "event_name")
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
    total = _aggregate(meter, values)
    return [
        {
            "id": world.ids.timed("mtrusg_test", world.now),
            "object": "billing.meter_event_summary",
            "aggregated_value": int(total) if total == int(total) else float(total),
            "end_time": end,
            "livemode": False,
            "meter": id,
            "start_time": start,
        }
    ]


def counted_until(world: World, item: JSON) -> int:
    """Until when a metered item's usage is billed."""
    return int(world.facts("metered_until").get(item["id"]) or item["created"])


def used(world: World, sub: JSON, item: JSON) -> Decimal:
    """The usage of a metered item in the period before its present one, 0 if it is negative."""
    meter = world.find("billing.meter", item["price"]["recurring"]["meter"])
    if meter is None:
        return Decimal(0)
    until = int(item["current_period_start"])
    since = counted_until(world, item)
    values = _values(world, meter, sub["customer"], since, until)
    world.facts("metered_until")[item["id"]] = until
    return max(Decimal(0), _aggregate(meter, values))


def adjust(world: World, params: JSON) -> JSON:
    """POST /v1/billing/meter_event_adjustments: cancel an event of the last 24 hours."""
    meter = _meter_named(world, required(params, "event_name"))
    identifier = required(params.get("cancel") or {}, "identifier")
    event: JSON = world.facts("meter_event").get(identifier) or {}
    is_known = event.get("event_name") == meter["event_name"]
    if not is_known or event["created"] < world.now - DAY:
        message = f"No event of the last 24 hours found with identifier {identifier}."
        raise invalid(message, "cancel[identifier]", "resource_missing")
    event["canceled"] = True
    return {
        "object": "billing.meter_event_adjustment",
        "cancel": {"identifier": identifier},
        "event_name": meter["event_name"],
        "livemode": False,
        "status": "pending",
        "type": "cancel",
    }


def _aggregate(meter: JSON, values: list[Decimal]) -> Decimal:
    formula = meter["default_aggregation"]["formula"]
    if formula == "count":
        return Decimal(len(values))
    return sum(values, Decimal(0)) if formula == "sum" else (values or [Decimal(0)])[-1]


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
        value = Decimal(payload[key])
    except (KeyError, InvalidOperation):
        message = f"The payload needs a number under '{key}'."
        raise invalid(message, "payload", "meter_event_invalid_value") from None
    if not value.is_finite() or len(value.normalize().as_tuple().digits) > MAX_DIGITS:
        message = f"The value in the event payload can have at most {MAX_DIGITS} digits."
        raise invalid(message, "payload", "meter_event_value_too_many_digits")


def _values(world: World, meter: JSON, customer: str, since: int, until: int) -> list[Decimal]:
    key = meter["customer_mapping"]["event_payload_key"]
    value = meter["value_settings"]["event_payload_key"]
    return [
        Decimal(event["payload"].get(value, 1))
        for event in world.facts("meter_event").values()
        if not event.get("canceled")
        and event["event_name"] == meter["event_name"]
        and _is_of(meter, event)
        and event["payload"].get(key) == customer
        and since <= event["timestamp"] < until
    ]


def _is_of(meter: JSON, event: JSON) -> bool:
    """A meter that was made again under a name counts nothing of the one before."""
    archived = meter["status_transitions"]["deactivated_at"]
    until = archived if meter["status"] == "inactive" else None
    return meter["created"] <= event["created"] and (until is None or event["created"] <= until)


def _meter_named(world: World, name: str) -> JSON:
    for meter in world.all("billing.meter").values():
        if meter["event_name"] == name and meter["status"] == "active":
            return meter
    raise invalid(f"No active meter found for event name {name}.", "event_name", "no_meter")
