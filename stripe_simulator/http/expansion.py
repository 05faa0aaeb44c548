"""`expand[]`: ids in an answer become the objects they name."""

from collections.abc import Callable
from typing import Any

from stripe_simulator.errors import invalid
from stripe_simulator.parameters import listing
from stripe_simulator.resources import (
    invoice_payments,
    line_items,
    portal_configurations,
    prices,
    redemptions,
)
from stripe_simulator.snapshots import JSON, snapshot
from stripe_simulator.world import World

#: Types of ids by their field, where the prefix does not show the type.
BY_FIELD = {
    "coupon": "coupon",
    "product": "product",
    "default_price": "price",
    "customer": "customer",
    "tax_rate": "tax_rate",
}

BY_PREFIX = {
    "bpc": "billing_portal.configuration",
    "ch": "charge",
    "cn": "credit_note",
    "cus": "customer",
    "di": "discount",
    "dp": "dispute",
    "feat": "entitlements.feature",
    "ii": "invoiceitem",
    "in": "invoice",
    "inpay": "invoice_payment",
    "pi": "payment_intent",
    "pm": "payment_method",
    "price": "price",
    "po": "payout",
    "promo": "promotion_code",
    "re": "refund",
    "seti": "setup_intent",
    "sub": "subscription",
    "sub_sched": "subscription_schedule",
    "txn": "balance_transaction",
    "txr": "tax_rate",
}


def expand(world: World, answer: JSON, paths: list[str]) -> JSON:
    """Return a copy of an answer with the paths expanded, each at most four levels deep."""
    tree: JSON = {}
    for path in paths:
        parts = path.split(".")
        if len(parts) - (parts[0] == "data") > 4:
            raise invalid("You cannot expand more than 4 levels of a property.", "expand")
        node = tree
        for part in parts:
            node = node.setdefault(part, {})
    result = snapshot(answer)
    _grow(world, result, tree, "")
    return result


def _grow(world: World, node: Any, tree: JSON, path: str) -> None:
    if isinstance(node, list):
        for item in node:
            _grow(world, item, tree, path)
        return
    if not isinstance(node, dict):
        return
    for field, deeper in tree.items():
        here = f"{path}.{field}".lstrip(".")
        node[field] = _value(world, node, field, here)
        _grow(world, node[field], deeper, here)


def _value(world: World, node: JSON, field: str, path: str) -> Any:
    virtual = VIRTUAL.get((str(node.get("object")), field))
    if virtual is not None:
        return snapshot({"": virtual(world, node)})[""]
    if field not in node:
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    value = node[field]
    if isinstance(value, str):
        return _named(world, field, value)
    if isinstance(value, list):
        return [_named(world, field, v) if isinstance(v, str) else v for v in value]
    return value


def _named(world: World, field: str, id: str) -> Any:
    prefix = id.rpartition("_")[0]
    kind = BY_FIELD.get(field) or BY_PREFIX.get(prefix) or BY_PREFIX.get(prefix.partition("_")[0])
    found = world.find(kind, id) if kind else None
    if found is None:
        return world.facts("deleted").get(id, {}) | {"deleted": True} if _gone(world, id) else id
    return snapshot(found)


def _gone(world: World, id: str) -> bool:
    return id in world.facts("deleted")


def _subscriptions(world: World, customer: JSON) -> JSON:
    ids = reversed(world.facts("subscriptions_of").get(customer["id"], []))
    found = [world.get("subscription", id) for id in ids]
    live = [sub for sub in found if sub["status"] not in ("canceled", "incomplete_expired")]
    return listing(live, f"/v1/customers/{customer['id']}/subscriptions")


def _tax_ids(world: World, customer: JSON) -> JSON:
    found = world.of_customer("tax_id", customer["id"])
    return listing(found[::-1], f"/v1/customers/{customer['id']}/tax_ids")


def _payments(world: World, invoice: JSON) -> JSON:
    payments = invoice_payments.of_invoice(world, invoice)
    return listing(payments[::-1], f"/v1/invoice_payments?invoice={invoice['id']}")


def _confirmation_secret(world: World, invoice: JSON) -> JSON | None:
    payment = invoice_payments.open_of(world, invoice)
    if payment is None:
        return None
    intent = world.get("payment_intent", payment["payment"]["payment_intent"])
    return {"client_secret": intent["client_secret"], "type": "payment_intent"}


def _refunds(world: World, charge: JSON) -> JSON:
    found = [r for r in world.all("refund").values() if r["charge"] == charge["id"]]
    return listing(found[::-1], f"/v1/charges/{charge['id']}/refunds")


#: Fields that an object has only when asked for.
VIRTUAL: dict[tuple[str, str], Callable[[World, JSON], Any]] = {
    ("billing_portal.configuration", "features"): portal_configurations.features,
    ("checkout.session", "line_items"): lambda w, s: line_items.as_list(w, s["id"]),
    ("customer", "subscriptions"): _subscriptions,
    ("customer", "tax_ids"): _tax_ids,
    ("customer", "sources"): lambda w, c: listing([], f"/v1/customers/{c['id']}/sources"),
    ("customer", "tax"): lambda w, c: {"automatic_tax": "supported", "ip_address": None},
    ("charge", "refunds"): _refunds,
    ("invoice", "confirmation_secret"): _confirmation_secret,
    ("invoice", "payments"): _payments,
    ("price", "currency_options"): prices.currency_options,
    ("price", "tiers"): lambda w, p: w.facts("tiers").get(p["id"], []),
    ("coupon", "applies_to"): lambda w, c: {"products": redemptions.applies_to(w, c["id"])},
    ("item", "discounts"): lambda w, i: [],
    ("item", "taxes"): lambda w, i: [],
}
