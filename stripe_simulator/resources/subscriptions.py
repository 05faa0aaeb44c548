"""Subscriptions: how they begin, change and end."""

from typing import Any

from stripe_simulator.errors import card_declined, invalid, missing_object
from stripe_simulator.parameters import metadata, optional, required, set_fields
from stripe_simulator.resources import (
    billing,
    customers,
    discounts,
    entitlements,
    invoices,
    payment_methods,
    subscription_invoices,
    subscription_items,
    subscription_rules,
    subscription_states,
    tax_rates,
)
from stripe_simulator.settings import DAY
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def create(world: World, params: JSON) -> JSON:
    """POST /v1/subscriptions."""
    customer = world.get("customer", required(params, "customer"), "customer")
    if optional(params, "default_payment_method"):
        payment_methods.retrieve(world, params["default_payment_method"], {})
    sub = build(world, customer, params)
    method = billing.method_for(world, customer, sub)
    behavior = optional(params, "payment_behavior", "allow_incomplete")
    automatic = sub["collection_method"] == "charge_automatically"
    if automatic and sub["status"] != "trialing" and behavior != "default_incomplete":
        _must_have(method, behavior)
    invoice = begin(world, sub, params)
    world.record("customer.subscription.created", sub)
    entitlements.refresh(world, customer["id"])
    invoices.keep(world, invoice)
    if automatic:
        invoices.finalize(world, invoice)
        _collect_first(world, sub, invoice, method, behavior)
    else:
        draft_until = world.now + world.settings.draft_seconds
        world.clock.at(draft_until, "finalize_invoice", invoice["id"])
    return sub


def _collect_first(
    world: World, sub: JSON, invoice: JSON, method: JSON | None, behavior: str
) -> None:
    if behavior == "default_incomplete" and invoice["amount_due"]:
        billing.open_payment(world, invoice)
    else:
        billing.pay(world, invoice, method)
    if sub["status"] == "incomplete":
        expires_at = world.now + world.settings.incomplete_seconds
        world.clock.at(expires_at, "expire_incomplete", sub["id"])


def _must_have(method: JSON | None, behavior: str) -> None:
    if method is None:
        raise invalid(
            "This customer has no attached payment source or default payment method.",
            code="resource_missing",
        )
    what = payment_methods.behaviour(method)
    if behavior == "error_if_incomplete" and what not in ("succeeds", "processing"):
        raise card_declined("generic_decline")


def build(world: World, customer: JSON, params: JSON, status: str = "incomplete") -> JSON:
    """A subscription with its items and discounts; not stored yet."""
    now = world.now
    subscription_rules.check_dates(params, now)
    trial_end = _trial_end(world, params)
    anchor = trial_end or optional(params, "billing_cycle_anchor", now)
    if optional(params, "collection_method") == "send_invoice":
        status = "active"
    sub = _empty(world, customer, params) | {
        "billing_cycle_anchor": anchor,
        "status": "trialing" if trial_end else status,
        "trial_start": now if trial_end else None,
        "trial_end": trial_end,
    }
    end = anchor if anchor > now else None
    items = [
        subscription_items.build(world, sub["id"], item, now, end, anchor)
        for item in required(params, "items")
    ]
    sub["items"] = subscription_items.as_list(sub["id"], items)
    sub["currency"] = items[0]["price"]["currency"]
    subscription_rules.check_items(items, sub["currency"])
    subscription_rules.check_collection(sub, params)
    owner = {"customer": customer["id"], "subscription": sub["id"]}
    refuse_other_currency(world, customer["id"], sub["currency"])
    purchase = subscription_items.purchase(world, customer["id"], items)
    sub["discounts"] = [
        discounts.give(world, source, purchase, **owner)["id"]
        for source in optional(params, "discounts", [])
    ]
    _plan_end(sub, params, now)
    return sub


def refuse_other_currency(world: World, customer: str, currency: str) -> None:
    """A customer has one currency for as long as a subscription of theirs runs."""
    for id in world.facts("subscriptions_of").get(customer, []):
        other = world.get("subscription", id)
        if subscription_states.is_live(other) and other["currency"] != currency:
            raise invalid(
                "You cannot combine currencies on a single customer. This customer has an active "
                "subscription, subscription schedule, discount, quote, or invoice item with "
                f"currency {other['currency']}"
            )


def begin(world: World, sub: JSON, params: JSON) -> JSON:
    """Keep a built subscription and plan its renewal; returns its first invoice, not yet kept."""
    world.add(sub)
    world.facts("subscriptions_of").setdefault(sub["customer"], []).append(sub["id"])
    licensed = [i for i in sub["items"]["data"] if "quantity" in i]
    fields: JSON = {}
    if sub["collection_method"] == "send_invoice":
        fields["due_date"] = invoices.due_date(world, params)
        fields["automatically_finalizes_at"] = world.now + world.settings.draft_seconds
    invoice = subscription_invoices.draft(world, sub, licensed, "subscription_create", **fields)
    sub["latest_invoice"] = invoice["id"]
    plan(world, sub)
    return invoice


def plan(world: World, sub: JSON) -> None:
    """Put the subscription's next dates on the agenda."""
    next_end = min(item["current_period_end"] for item in sub["items"]["data"])
    world.clock.at(next_end, "renew", sub["id"])
    upcoming = next_end - world.settings.upcoming_days * DAY
    if upcoming > world.now:
        world.clock.at(upcoming, "upcoming", sub["id"])
    if sub["cancel_at"] is not None:
        world.clock.at(sub["cancel_at"], "cancel_at", sub["id"])
    if sub["status"] == "trialing" and sub["trial_end"]:
        _plan_reminder(world, sub)
    if (sub["pause_collection"] or {}).get("resumes_at"):
        world.clock.at(sub["pause_collection"]["resumes_at"], "resume_collection", sub["id"])


def _plan_reminder(world: World, sub: JSON) -> None:
    """Once for each end of a trial: three days before it, or at once when it is nearer."""
    reminded = world.facts("trial_reminded")
    if reminded.get(sub["id"]) != sub["trial_end"]:
        reminded[sub["id"]] = sub["trial_end"]
        when = max(world.now, sub["trial_end"] - 3 * DAY)
        world.clock.at(when, "trial_will_end", sub["id"])


def cancel(world: World, id: str, params: JSON) -> JSON:
    """DELETE /v1/subscriptions/:id: cancel now."""
    sub = world.get("subscription", id)
    if not subscription_states.is_live(sub):
        raise missing_object("subscription", id)
    details = params.get("cancellation_details") or {}
    if params.get("invoice_now") or params.get("prorate"):
        _last_invoice(world, sub)
    known = {key: details[key] for key in ("comment", "feedback") if key in details}
    subscription_states.end(world, sub, "cancellation_requested", **known)
    return sub


def delete_customer(world: World, id: str, params: JSON) -> JSON:
    """DELETE /v1/customers/:id: its live subscriptions end first."""
    world.get("customer", id)
    for sub_id in world.facts("subscriptions_of").get(id, []):
        sub = world.get("subscription", sub_id)
        if subscription_states.is_live(sub):
            subscription_states.end(world, sub, "cancellation_requested")
    return customers.delete(world, id, params)


def delete_discount(world: World, id: str, params: JSON) -> JSON:
    """DELETE /v1/subscriptions/:id/discount."""
    sub = world.get("subscription", id)
    ids = list(sub["discounts"])
    for discount in ids:
        discounts.take_back(world, discount)
    subscription_states.move(world, sub, discounts=[])
    return {"object": "discount", "id": ids[0] if ids else "", "deleted": True}


def _last_invoice(world: World, sub: JSON) -> None:
    invoice = subscription_invoices.draft(world, sub, [], "manual")
    if invoice["lines"]["data"]:
        invoices.keep(world, invoice)
        invoices.finalize(world, invoice)
        customer = world.get("customer", sub["customer"])
        billing.pay(world, invoice, billing.method_for(world, customer, sub))


def _trial_end(world: World, params: JSON) -> int | None:
    trial_end = optional(params, "trial_end")
    if trial_end == "now":
        return None
    if trial_end is not None:
        return int(trial_end)
    days = optional(params, "trial_period_days")
    return world.now + int(days) * DAY if days else None


def _plan_end(sub: JSON, params: JSON, now: int) -> None:
    if params.get("cancel_at_period_end"):
        sub["cancel_at_period_end"] = True
        sub["cancel_at"] = min(item["current_period_end"] for item in sub["items"]["data"])
    elif optional(params, "cancel_at") is not None:
        sub["cancel_at"] = end_date(sub, params["cancel_at"])
    if sub["cancel_at"] is not None:
        sub["canceled_at"] = now
        sub["cancellation_details"]["reason"] = "cancellation_requested"


def end_date(sub: JSON, cancel_at: Any) -> int:
    """Return the time that `cancel_at` names: a timestamp or an end of the items' periods."""
    ends = [item["current_period_end"] for item in sub["items"]["data"]]
    named = {"min_period_end": min(ends), "max_period_end": max(ends)}
    return named[cancel_at] if cancel_at in named else int(cancel_at)


def _empty(world: World, customer: JSON, params: JSON) -> JSON:
    mode = (params.get("billing_mode") or {}).get("type", "flexible")
    sub: JSON = dict.fromkeys(NOTHING) | {
        "id": world.ids.timed("sub", world.now),
        "object": "subscription",
        "automatic_tax": _automatic_tax(params),
        "billing_mode": _billing_mode(mode),
        "billing_schedules": [],
        "cancel_at_period_end": False,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": optional(params, "collection_method", "charge_automatically"),
        "created": world.now,
        "customer": customer["id"],
        "default_tax_rates": tax_rates.resolve(world, optional(params, "default_tax_rates")),
        "discounts": [],
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "livemode": False,
        "metadata": metadata(params),
        "payment_settings": _payment_settings(params),
        "start_date": world.now,
        "trial_settings": _trial_settings(params),
    }
    set_fields(sub, params, "days_until_due", "default_payment_method", "description")
    return sub


def _automatic_tax(params: JSON) -> JSON:
    enabled = (params.get("automatic_tax") or {}).get("enabled", False)
    liability = {"type": "self"} if enabled else None
    return {"disabled_reason": None, "enabled": enabled, "liability": liability}


def _billing_mode(type: str) -> JSON:
    flexible = {"proration_discounts": "included"} if type == "flexible" else None
    return {"flexible": flexible, "type": type}


def _payment_settings(params: JSON) -> JSON:
    given = params.get("payment_settings") or {}
    return {
        "payment_method_options": None,
        "payment_method_types": None,
        "save_default_payment_method": given.get("save_default_payment_method", "off"),
    }


def _trial_settings(params: JSON) -> JSON:
    given = (params.get("trial_settings") or {}).get("end_behavior") or {}
    missing = given.get("missing_payment_method", "create_invoice")
    return {"end_behavior": {"missing_payment_method": missing}}


NOTHING = (
    "application",
    "application_fee_percent",
    "billing_cycle_anchor_config",
    "billing_thresholds",
    "cancel_at",
    "canceled_at",
    "customer_account",
    "days_until_due",
    "default_payment_method",
    "default_source",
    "description",
    "ended_at",
    "latest_invoice",
    "next_pending_invoice_item_invoice",
    "on_behalf_of",
    "pause_collection",
    "pending_invoice_item_interval",
    "pending_setup_intent",
    "pending_update",
    "schedule",
    "test_clock",
    "transfer_data",
)
