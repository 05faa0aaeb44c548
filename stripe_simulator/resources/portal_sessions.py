"""Billing portal sessions, and what a customer can press there."""

from stripe_simulator.errors import invalid
from stripe_simulator.parameters import optional, required
from stripe_simulator.resources import (
    checkout_rules,
    customers,
    payment_methods,
    portal_configurations,
    subscription_updates,
    subscriptions,
)
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

FLOWS = (
    "payment_method_update",
    "subscription_cancel",
    "subscription_update",
    "subscription_update_confirm",
)


def create(world: World, params: JSON) -> JSON:
    """POST /v1/billing_portal/sessions."""
    customer = world.get("customer", required(params, "customer"), "customer")
    checkout_rules.check_url(params, "return_url")
    chosen = optional(params, "configuration")
    kind = "billing_portal.configuration"
    found = world.get(kind, chosen, "configuration") if chosen else None
    configuration = found or portal_configurations.default(world)
    id = world.ids.timed("bps", world.now)
    session: JSON = {
        "id": id,
        "object": "billing_portal.session",
        "configuration": configuration["id"],
        "created": world.now,
        "customer": customer["id"],
        "customer_account": None,
        "flow": _flow(world, params.get("flow_data"), customer["id"]),
        "livemode": False,
        "locale": optional(params, "locale"),
        "on_behalf_of": None,
        "return_url": optional(params, "return_url", configuration["default_return_url"]),
        "url": f"{world.settings.public_url}/p/session/{id}",
    }
    world.add(session)
    world.record("billing_portal.session.created", session)
    return session


def cancel_subscription(world: World, session: JSON, sub_id: str, by_flag: bool = False) -> None:
    """Cancel at the period's end: flexible billing sets only `cancel_at`, classic also the flag."""
    sub = owned(world, session, sub_id)
    flexible = sub["billing_mode"]["type"] == "flexible" and not by_flag
    how: JSON = {"cancel_at": "min_period_end"} if flexible else {"cancel_at_period_end": True}
    subscription_updates.update(world, sub_id, how)


def cancel_now(world: World, session: JSON, sub_id: str) -> None:
    """Cancel at once, as a configuration of mode `immediately` does."""
    owned(world, session, sub_id)
    subscriptions.cancel(world, sub_id, {})


def renew_subscription(world: World, session: JSON, sub_id: str) -> None:
    """Take a planned cancellation back."""
    owned(world, session, sub_id)
    subscription_updates.update(world, sub_id, {"cancel_at": ""})


def change_plan(world: World, session: JSON, sub_id: str, price: str, quantity: int | None) -> None:
    """Put a subscription's first item on another price."""
    sub = owned(world, session, sub_id)
    item: JSON = {"id": sub["items"]["data"][0]["id"], "price": price}
    if quantity is not None:
        item["quantity"] = quantity
    subscription_updates.update(world, sub_id, {"items": [item]})


def update_payment_method(world: World, session: JSON, last4: str) -> None:
    """Attach a new card and use it for everything."""
    customer = world.get("customer", session["customer"])
    method = payment_methods.card(world, last4)
    payment_methods.attach(world, method["id"], {"customer": customer["id"]})
    customers.make_default(world, customer, method["id"])
    for sub in subscriptions_of(world, customer["id"]):
        if sub["status"] not in ("canceled", "incomplete_expired"):
            params = {"default_payment_method": method["id"]}
            subscription_updates.update(world, sub["id"], params)


def subscriptions_of(world: World, customer: str) -> list[JSON]:
    """A customer's subscriptions, oldest first."""
    ids = world.facts("subscriptions_of").get(customer, [])
    return [world.get("subscription", id) for id in ids]


def owned(world: World, session: JSON, sub_id: str) -> JSON:
    """Return a subscription if it belongs to the session's customer."""
    sub = world.get("subscription", sub_id)
    if sub["customer"] != session["customer"]:
        raise invalid(f"No such subscription: '{sub_id}'", "subscription", "resource_missing")
    return sub


def _flow(world: World, given: JSON | None, customer: str) -> JSON | None:
    if not given:
        return None
    kind = required(given, "type")
    if kind not in FLOWS:
        raise invalid(f"Invalid flow_data[type]: {kind}", "flow_data[type]")
    flow: JSON = dict.fromkeys(FLOWS[1:]) | {
        "after_completion": _after(given.get("after_completion")),
        "type": kind,
    }
    details = given.get(kind)
    if kind != "payment_method_update":
        sub = required(details or {}, "subscription")
        owned(world, {"customer": customer}, sub)
        flow[kind] = {"subscription": sub} | _details(kind, details or {})
    return flow


def _details(kind: str, details: JSON) -> JSON:
    if kind == "subscription_cancel":
        return {"retention": details.get("retention")}
    if kind == "subscription_update":
        return {}
    items = [
        {"id": item["id"], "price": item.get("price"), "quantity": item.get("quantity")}
        for item in details.get("items", [])
    ]
    return {"discounts": details.get("discounts"), "items": items}


def _after(given: JSON | None) -> JSON:
    after: JSON = {"hosted_confirmation": None, "redirect": None, "type": "portal_homepage"}
    if given and given.get("type") == "hosted_confirmation":
        message = (given.get("hosted_confirmation") or {}).get("custom_message")
        after["hosted_confirmation"] = {"custom_message": message}
    elif given and given.get("type") == "redirect":
        after["redirect"] = given.get("redirect")
    return after | {"type": (given or {}).get("type", "portal_homepage")}
