"""Invoices that the seller makes by hand, and previews."""

from typing import Any

from stripe_simulator.errors import invalid
from stripe_simulator.parameters import metadata, optional, required
from stripe_simulator.resources import (
    invoice_items,
    invoice_lines,
    invoices,
    renewals,
    subscription_changes,
    subscriptions,
    tax_rates,
)
from stripe_simulator.snapshots import JSON, SHOWN
from stripe_simulator.world import World


def create(world: World, params: JSON) -> JSON:
    """POST /v1/invoices: a draft with the customer's waiting items, if they are asked for."""
    customer = world.get("customer", required(params, "customer"), "customer")
    fields: dict[str, Any] = {
        "auto_advance": optional(params, "auto_advance", False),
        "collection_method": optional(params, "collection_method", "charge_automatically"),
        "currency": optional(params, "currency", "usd"),
        "default_tax_rates": tax_rates.resolve(world, optional(params, "default_tax_rates")),
        "description": optional(params, "description"),
        "due_date": invoices.due_date(world, params),
        "metadata": metadata(params),
    }
    sub = world.find("subscription", params.get("subscription"))
    if sub is not None:
        fields |= {"parent": invoices.parent_of(sub), "currency": sub["currency"]}
    invoice = invoices.build(world, customer, [], **fields)
    if optional(params, "pending_invoice_items_behavior", "exclude") == "include" or sub:
        id = sub["id"] if sub else None
        taken = invoice_items.take(world, customer["id"], invoice["id"], id)
        put(world, invoice, taken)
    if invoice["auto_advance"]:
        invoices.plan(world, invoice)
    return invoices.keep(world, invoice)


def put(world: World, invoice: JSON, items: list[JSON]) -> None:
    """Put invoice items on a draft as lines."""
    for item in items:
        line = invoice_lines.of_invoice_item(world, item) | {"invoice": invoice["id"]}
        invoice["lines"]["data"].append(line)
        invoice["currency"] = item["currency"]
    invoices.total_up(world, invoice)


def create_item(world: World, params: JSON) -> JSON:
    """POST /v1/invoiceitems; with `invoice` the draft gains a line at once."""
    invoice = world.get("invoice", params["invoice"], "invoice") if params.get("invoice") else None
    item = invoice_items.create(world, params)
    if invoice is not None:
        with world.change(invoice, "invoice.updated"):
            put(world, invoice, [item])
    return item


def preview(world: World, params: JSON) -> JSON:
    """POST /v1/invoices/create_preview for a subscription as it is or as it would be."""
    invoice = _preview(world, params, params.get("subscription_details") or {})
    invoice["id"] = world.ids.timed("upcoming_in", world.now)
    invoice["lines"]["url"] = f"/v1/invoices/{invoice['id']}/lines"
    if len(invoice["lines"]["data"]) > SHOWN:
        world.facts("preview_lines")[invoice["id"]] = invoice["lines"]["data"]
    return invoice


def lines_of(world: World, id: str) -> list[JSON]:
    """The lines of an invoice, or of a preview."""
    lines: list[JSON] | None = world.facts("preview_lines").get(id)
    return world.get("invoice", id)["lines"]["data"] if lines is None else lines


def _preview(world: World, params: JSON, details: JSON) -> JSON:
    if not params.get("subscription"):
        return _preview_new(world, params, details)
    sub = world.get("subscription", params["subscription"], "subscription")
    if params.get("customer") not in (None, "", sub["customer"]):
        message = f"The subscription {sub['id']} does not belong to this customer."
        raise invalid(message, "subscription")
    if not subscription_changes.touches_items(details):
        return renewals.preview(world, sub)
    change = subscription_changes.build(world, sub, details)
    return subscription_changes.preview(world, sub, change)


def _preview_new(world: World, params: JSON, details: JSON) -> JSON:
    customer = world.get("customer", required(params, "customer"), "customer")
    sub = subscriptions.build(world, customer, {"items": required(details, "items")}, "active")
    return renewals.without_trace(world, sub, sub["items"]["data"])
