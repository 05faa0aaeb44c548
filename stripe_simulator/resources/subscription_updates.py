"""POST /v1/subscriptions/:id and its items: changes of plan, quantity, trial and end."""

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
    redemptions,
    renewals,
    resumptions,
    subscription_changes,
    subscription_invoices,
    subscription_items,
    subscription_rules,
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
    _must_be_free(sub, params)
    subscription_rules.check_dates(params, world.now)
    wanted = {name: params.get(name) or sub[name] for name in COLLECTION}
    subscription_rules.check_collection(wanted, params)
    touched = subscription_changes.touches_items(params)
    change = subscription_changes.build(world, sub, params) if touched else None
    if change is not None and _must_wait(world, sub, change, params):
        _hold(world, sub, change)
        return sub
    invoice = None
    with world.change(sub, subscription_states.UPDATED):
        _simple_fields(world, sub, params)
        _end(world, sub, params)
        _trial(world, sub, params)
        if change is not None:
            subscription_changes.keep(world, sub, change)
            if change.bills_now:
                invoice = _immediate(world, sub, change.items if change.resets else [])
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
    """POST /v1/subscriptions/:id/resume: a paused subscription begins a new period once paid."""
    sub = world.get("subscription", id)
    if sub["status"] != "paused":
        raise invalid("Only paused subscriptions can be resumed.", "id")
    customer = world.get("customer", sub["customer"])
    items = snapshot(sub["items"])["data"]
    subscription_items.restart(items, world.now)
    invoice = _immediate(world, sub, items)
    resumptions.hold(world, sub, items, invoice)
    billing.pay(world, invoice, billing.method_for(world, customer, sub))
    return sub


def _must_be_live(sub: JSON, params: JSON) -> None:
    harmless = {"metadata", "cancellation_details", "expand"}
    if not subscription_states.is_live(sub) and params.keys() - harmless:
        raise invalid(
            "A canceled subscription can only update its cancellation_details and metadata.",
            code="subscription_canceled",
        )


def _must_be_free(sub: JSON, params: JSON) -> None:
    for name in ("cancel_at_period_end", "cancel_at"):
        if sub["schedule"] and name in params:
            raise invalid(
                "The subscription is managed by the subscription schedule "
                f"`{sub['schedule']}`, and updating any cancelation behavior directly is not "
                "allowed. Please update the schedule instead.",
                name,
            )


def _proration(params: JSON) -> JSON:
    return {k: params[k] for k in ("proration_behavior", "payment_behavior") if k in params}


def _simple_fields(world: World, sub: JSON, params: JSON) -> None:
    _check_method(world, sub, optional(params, "default_payment_method"))
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


def _check_method(world: World, sub: JSON, id: str | None) -> None:
    if id is None:
        return
    method = world.get("payment_method", id, "default_payment_method")
    if method["customer"] != sub["customer"]:
        message = "The payment method must be attached to the subscription's customer."
        raise invalid(message, "default_payment_method")


def _discounts(world: World, sub: JSON, given: list[JSON]) -> None:
    for source in given:
        purchase = subscription_items.purchase(world, sub["customer"], sub["items"]["data"])
        redemptions.check(world, source, purchase)
    kept = [source["discount"] for source in given if source.get("discount")]
    for id in sub["discounts"]:
        if id not in kept:
            discounts.take_back(world, id)
    owned = {"customer": sub["customer"], "subscription": sub["id"]}
    purchase = subscription_items.purchase(world, sub["customer"], sub["items"]["data"])
    sub["discounts"] = [discounts.give(world, source, purchase, **owned)["id"] for source in given]


def _end(world: World, sub: JSON, params: JSON) -> None:
    details = params.get("cancellation_details") or {}
    set_fields(sub["cancellation_details"], details, "comment", "feedback")
    if "cancel_at_period_end" in params:
        sub["cancel_at_period_end"] = bool(params["cancel_at_period_end"])
        end = "min_period_end" if params["cancel_at_period_end"] else None
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


def _immediate(world: World, sub: JSON, items: list[JSON]) -> JSON:
    invoice = subscription_invoices.draft(world, sub, items, "subscription_update")
    invoices.keep(world, invoice)
    invoices.finalize(world, invoice)
    sub["latest_invoice"] = invoice["id"]
    return invoice


def _must_wait(world: World, sub: JSON, change: subscription_changes.Change, params: JSON) -> bool:
    """Whether an invoice must be paid first, and can't be; only an invoice made at once is."""
    behavior = optional(params, "payment_behavior", "allow_incomplete")
    if behavior not in ("pending_if_incomplete", "error_if_incomplete"):
        return False
    if behavior == "pending_if_incomplete":
        _refuse_unsupported(params)
    if not change.bills_now or not subscription_changes.preview(world, sub, change)["amount_due"]:
        return False
    customer = world.get("customer", sub["customer"])
    method = billing.method_for(world, customer, sub)
    if method is not None and payment_methods.behaviour(method) == "succeeds":
        return False
    if behavior == "error_if_incomplete":
        raise card_declined("generic_decline")
    return bool(sub["status"] == "active")


def _refuse_unsupported(params: JSON) -> None:
    for name in params.keys() - PENDING:
        raise invalid(
            f"When `payment_behavior=pending_if_incomplete`, you cannot pass `{name}`.", name
        )


def _hold(world: World, sub: JSON, change: subscription_changes.Change) -> None:
    pending_updates.drop(world, sub)
    for part in change.parts:
        invoice_items.keep(world, part)
    billed = change.items if change.resets else []
    invoice = subscription_invoices.draft(world, sub, billed, "subscription_update")
    invoices.keep(world, invoice)
    invoices.finalize(world, invoice)
    pending_updates.hold(world, sub, change.items, invoice)
    customer = world.get("customer", sub["customer"])
    billing.pay(world, invoice, billing.method_for(world, customer, sub))


COLLECTION = ("collection_method", "days_until_due")
#: Parameters that `payment_behavior=pending_if_incomplete` allows.
PENDING = {
    "add_invoice_items",
    "billing_cycle_anchor",
    "expand",
    "items",
    "metadata",
    "payment_behavior",
    "proration_behavior",
    "proration_date",
    "trial_end",
    "trial_from_plan",
}
