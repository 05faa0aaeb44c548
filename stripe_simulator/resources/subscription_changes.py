"""Effects of new items on a subscription's bills: prorations, and the immediate invoice."""

from dataclasses import dataclass

from stripe_simulator.errors import invalid
from stripe_simulator.parameters import optional
from stripe_simulator.resources import (
    invoice_items,
    invoice_lines,
    invoices,
    prorations,
    renewals,
    subscription_items,
)
from stripe_simulator.snapshots import JSON, snapshot
from stripe_simulator.world import World


@dataclass(frozen=True, slots=True)
class Change:
    """New items; not stored yet."""

    items: list[JSON]
    #: Whether the billing cycle starts again.
    resets: bool
    #: Invoice items, not yet kept.
    parts: list[JSON]
    #: Whether an invoice is made at once.
    bills_now: bool


def touches_items(params: JSON) -> bool:
    """Whether a request changes items or their periods."""
    return bool(optional(params, "items", [])) or _asks_for_reset(params)


def build(world: World, sub: JSON, params: JSON) -> Change:
    """Return what a request changes about the items or their periods."""
    items = subscription_items.changed(world, sub, optional(params, "items", []))
    resets = _asks_for_reset(params) or _has_other_interval(sub, items)
    if resets:
        subscription_items.restart(items, world.now)
    behavior = optional(params, "proration_behavior", "create_prorations")
    parts: list[JSON] = []
    if behavior != "none":
        old, now = sub["items"]["data"], _proration_date(world, sub, params)
        parts = prorations.build(world, sub, old, items, now, resets)
    bills_now = resets or (behavior == "always_invoice" and bool(parts))
    return Change(items, resets, parts, bills_now)


def preview(world: World, sub: JSON, change: Change) -> JSON:
    """The invoice made at once, or else the next one with the prorations; without trace or id."""
    changed = snapshot(sub)
    changed["items"]["data"] = change.items
    if change.bills_now:
        billed = change.items if change.resets else []
        invoice = renewals.without_trace(world, changed, billed)
    else:
        invoice = renewals.preview(world, changed)
    lines = [invoice_lines.of_invoice_item(world, part) for part in change.parts]
    invoice["lines"]["data"] = lines + invoice["lines"]["data"]
    invoices.total_up(world, invoice)
    return invoice


def keep(world: World, sub: JSON, change: Change) -> None:
    """Put the items in place; what they are prorated by waits for the next invoice."""
    if change.resets:
        sub["billing_cycle_anchor"] = world.now
    for part in change.parts:
        invoice_items.keep(world, part)
    sub["items"] = subscription_items.as_list(sub["id"], change.items)


def _asks_for_reset(params: JSON) -> bool:
    anchor = params.get("billing_cycle_anchor")
    return bool((anchor.get("type") if isinstance(anchor, dict) else anchor) == "now")


def _has_other_interval(sub: JSON, items: list[JSON]) -> bool:
    old = {subscription_items.interval(item) for item in sub["items"]["data"]}
    new = {subscription_items.interval(item) for item in items}
    return sub["status"] != "trialing" and new != old


def _proration_date(world: World, sub: JSON, params: JSON) -> int:
    starts = min(int(item["current_period_start"]) for item in sub["items"]["data"])
    ends = max(int(item["current_period_end"]) for item in sub["items"]["data"])
    # A renewal that a test brought forward may have begun a period that lies ahead.
    date = int(optional(params, "proration_date", max(world.now, starts)))
    if not starts <= date <= max(ends, world.now):
        message = "Cannot specify `proration_date` outside of the current billing period."
        raise invalid(message, "proration_date")
    return date
