"""Invoices of subscriptions: the lines of a period and what waits for it."""

from typing import Any

from stripe_simulator.resources import invoice_items, invoice_lines, invoices, meter_events
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def draft(world: World, sub: JSON, items: list[JSON], reason: str, **fields: Any) -> JSON:
    """Build the invoice for some items' new period with everything that waits; not yet kept."""
    customer = world.get("customer", sub["customer"])
    invoice = invoices.build(world, customer, [], **_fields(sub, reason), **fields)
    lines = [_line(world, sub, item) for item in items]
    waiting = invoice_items.take(world, customer["id"], invoice["id"], sub["id"])
    lines += [invoice_lines.of_invoice_item(world, item) for item in waiting]
    for line in lines:
        line["invoice"] = invoice["id"]
    invoice["lines"]["data"] = lines
    if items:
        invoice["period_start"] = min(item["current_period_start"] for item in items)
        invoice["period_end"] = max(item["current_period_end"] for item in items)
    invoices.total_up(world, invoice)
    return invoice


def _line(world: World, sub: JSON, item: JSON) -> JSON:
    if item["price"]["recurring"]["usage_type"] == "licensed":
        return invoice_lines.of_subscription_item(world, sub, item)
    # Usage is billed when its period is over.
    period = {"start": meter_events.counted_until(world, item), "end": item["current_period_start"]}
    used = meter_events.used(world, sub, item)
    return invoice_lines.of_subscription_item(world, sub, item, used) | {"period": period}


def _fields(sub: JSON, reason: str) -> JSON:
    return {
        "billing_reason": reason,
        "collection_method": sub["collection_method"],
        "currency": sub["currency"],
        "default_tax_rates": list(sub["default_tax_rates"] or []),
        "discounts": list(sub["discounts"]),
        "parent": invoices.parent_of(sub),
    }
