"""POST /v1/subscriptions/:id and its items: changes of plan, quantity, trial and end."""

from typing import Any

from stripe_simulator.errors import card_declined, invalid
from stripe_simulator.parameters import metadata, optional, required, set_fields
from stripe_simulator.resources import (
    billing,
    discounts,
    entitlements,
    invoice_items,
    invoices,
    payment_methods,
    pending_updates,
    prorations,
    renewals,
    subscription_invoices,
    subscription_items,
    subscription_states,
    subscriptions,
    tax_rates,
)
from stripe_simulator.snapshots import JSON, snapshot
from stripe_simulator.world import World


def update(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/subscriptions/:id."""
    sub = world.get("subscription", id)
    _must_be_live(sub, params)
    given = optional(params, "items", [])
    items = subscription_items.changed(world, sub, given) if given else None
    if items is not None and _must_wait(world, sub, params):
        _hold(world, sub, items)
        return sub
    resets = _resets_anchor(sub, items, params)
    with world.change(sub, subscription_states.UPDATED):
        _simple_fields(world, sub, params)
        _end(world, sub, params)
        _trial(world, sub, params)
        invoice = _items(world, sub, items, params, resets)
    entitlements.refresh(world, sub["customer"])
    subscriptions.plan(world, sub)
    if params.get("trial_end") == "now" and sub["status"] == "trialing":
        if renewals.trial_ends_without_method(world, sub):
            return sub
        invoice = renewals.begin_next_period(world, sub, sub["items"]["data"])
        invoices.finalize(world, invoice)
    if invoice is not None:
        billing.collect(world, invoice["id"])
    return sub


def create_item(world: World, params: JSON) -> JSON:
    """POST /v1/subscription_items."""
    given = {key: value for key, value in params.items() if key not in ("subscription", "expand")}
    sub = update(world, required(params, "subscription"), {"items": [given]})
    item: JSON = sub["items"]["data"][-1]
    return item


def update_item(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/subscription_items/:id."""
    sub = owner(world, id)
    update(world, sub["id"], {"items": [params | {"id": id}]} | _proration(params))
    return next(item for item in sub["items"]["data"] if item["id"] == id)


def delete_item(world: World, id: str, params: JSON) -> JSON:
    """DELETE /v1/subscription_items/:id."""
    sub = owner(world, id)
    update(world, sub["id"], {"items": [{"id": id, "deleted": True}]} | _proration(params))
    return {"id": id, "object": "subscription_item", "deleted": True}


def owner(world: World, item: str) -> JSON:
    """Return the subscription that has an item."""
    for sub in world.all("subscription").values():
        if any(found["id"] == item for found in sub["items"]["data"]):
            return sub
    return world.get("subscription_item", item)


def resume(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/subscriptions/:id/resume: a paused subscription begins a new period."""
    sub = world.get("subscription", id)
    if sub["status"] != "paused":
        raise invalid("Only paused subscriptions can be resumed.", "id")
    customer = world.get("customer", sub["customer"])
    method = billing.method_for(world, customer, sub)
    items = sub["items"]["data"]
    with world.change(sub, subscription_states.UPDATED):
        sub |= {"status": "active", "billing_cycle_anchor": world.now}
        subscription_items.restart(items, world.now)
        invoice = _immediate(world, sub, items)
    world.record("customer.subscription.resumed", sub)
    entitlements.refresh(world, sub["customer"])
    subscriptions.plan(world, sub)
    billing.pay(world, invoice, method)
    return sub


def _must_be_live(sub: JSON, params: JSON) -> None:
    harmless = {"metadata", "cancellation_details", "expand"}
    if not subscription_states.is_live(sub) and params.keys() - harmless:
        raise invalid(
            "A canceled subscription can only update its cancellation_details and metadata.",
            code="subscription_canceled",
        )


def _proration(params: JSON) -> JSON:
    return {k: params[k] for k in ("proration_behavior", "payment_behavior") if k in params}


def _simple_fields(world: World, sub: JSON, params: JSON) -> None:
    set_fields(sub, params, "description", "default_payment_method", "days_until_due")
    sub["metadata"] = metadata(params, sub["metadata"])
    if "collection_method" in params:
        sub["collection_method"] = params["collection_method"]
    if "pause_collection" in params:
        given = params["pause_collection"]
        sub["pause_collection"] = {"resumes_at": None} | given if given else None
    if "default_tax_rates" in params:
        sub["default_tax_rates"] = tax_rates.resolve(world, params["default_tax_rates"] or [])
    if "discounts" in params:
        _discounts(world, sub, params["discounts"] or [])


def _discounts(world: World, sub: JSON, given: list[JSON]) -> None:
    kept = [source["discount"] for source in given if source.get("discount")]
    for id in sub["discounts"]:
        if id not in kept:
            discounts.take_back(world, id)
    owned = {"customer": sub["customer"], "subscription": sub["id"]}
    sub["discounts"] = [discounts.give(world, source, **owned)["id"] for source in given]


def _end(world: World, sub: JSON, params: JSON) -> None:
    details = params.get("cancellation_details") or {}
    set_fields(sub["cancellation_details"], details, "comment", "feedback")
    if "cancel_at_period_end" in params:
        sub["cancel_at_period_end"] = bool(params["cancel_at_period_end"])
        end = "max_period_end" if params["cancel_at_period_end"] else None
    elif "cancel_at" in params:
        sub["cancel_at_period_end"] = False
        end = params["cancel_at"] or None
    else:
        return
    sub["cancel_at"] = None if end is None else subscriptions.end_date(sub, end)
    sub["canceled_at"] = None if end is None else world.now
    reason = None if end is None else "cancellation_requested"
    sub["cancellation_details"]["reason"] = reason


def _trial(world: World, sub: JSON, params: JSON) -> None:
    trial_end = optional(params, "trial_end")
    if trial_end is None:
        return
    when = world.now if trial_end == "now" else int(trial_end)
    for item in sub["items"]["data"]:
        item["current_period_end"] = when
    sub |= {"trial_end": when, "billing_cycle_anchor": when}
    if trial_end != "now":
        sub |= {"status": "trialing", "trial_start": sub["trial_start"] or world.now}


def _resets_anchor(sub: JSON, items: list[JSON] | None, params: JSON) -> bool:
    anchor = params.get("billing_cycle_anchor")
    if (anchor or {}).get("type") == "now" if isinstance(anchor, dict) else anchor == "now":
        return True
    if items is None or sub["status"] == "trialing":
        return False
    old = {subscription_items.interval(item) for item in sub["items"]["data"]}
    return {subscription_items.interval(item) for item in items} != old


def _items(
    world: World, sub: JSON, items: list[JSON] | None, params: JSON, resets: bool
) -> JSON | None:
    """Put changed items in place; returns the invoice that must be paid at once, if any."""
    if items is None and not resets:
        return None
    behavior = optional(params, "proration_behavior", "create_prorations")
    old, items = sub["items"]["data"], items or snapshot(sub["items"])["data"]
    now = optional(params, "proration_date", world.now)
    if resets:
        subscription_items.restart(items, world.now)
        sub["billing_cycle_anchor"] = world.now
    parts = prorations.build(world, sub, old, items, now) if behavior != "none" else []
    for part in parts:
        invoice_items.keep(world, part)
    sub["items"] = subscription_items.as_list(sub["id"], items)
    if resets or (behavior == "always_invoice" and parts):
        return _immediate(world, sub, items if resets else [])
    return None


def _immediate(world: World, sub: JSON, items: list[JSON]) -> JSON:
    invoice = subscription_invoices.draft(world, sub, items, "subscription_update")
    invoices.keep(world, invoice)
    invoices.finalize(world, invoice)
    sub["latest_invoice"] = invoice["id"]
    return invoice


def _must_wait(world: World, sub: JSON, params: JSON) -> bool:
    behavior = optional(params, "payment_behavior", "allow_incomplete")
    if behavior not in ("pending_if_incomplete", "error_if_incomplete"):
        return False
    customer = world.get("customer", sub["customer"])
    method = billing.method_for(world, customer, sub)
    if method is not None and payment_methods.behaviour(method) == "succeeds":
        return False
    if behavior == "error_if_incomplete":
        raise card_declined("generic_decline")
    return bool(sub["status"] == "active")


def _hold(world: World, sub: JSON, items: list[JSON]) -> None:
    parts: list[Any] = prorations.build(world, sub, sub["items"]["data"], items, world.now)
    for part in parts:
        invoice_items.keep(world, part)
    invoice = subscription_invoices.draft(world, sub, [], "subscription_update")
    invoices.keep(world, invoice)
    invoices.finalize(world, invoice)
    pending_updates.hold(world, sub, items, invoice)
    customer = world.get("customer", sub["customer"])
    billing.pay(world, invoice, billing.method_for(world, customer, sub))
