"""Invoice items: amounts that wait for a customer's next invoice."""

from typing import Any

from stripe_simulator.errors import invalid
from stripe_simulator.parameters import metadata, optional, required, set_fields
from stripe_simulator.resources import prices
from stripe_simulator.resources.invoice_lines import pricing
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def create(world: World, params: JSON) -> JSON:
    """POST /v1/invoiceitems."""
    customer = world.get("customer", required(params, "customer"), "customer")
    price = _price(world, params)
    quantity = optional(params, "quantity", 1)
    amount = prices.amount(world, price, quantity) if price else required(params, "amount")
    currency = price["currency"] if price else optional(params, "currency", "usd")
    invoice_item = build(world, customer["id"], amount, currency, quantity=quantity)
    set_fields(invoice_item, params, "description", "invoice", "discountable", "period")
    invoice_item["metadata"] = metadata(params)
    if params.get("subscription"):
        sub = world.get("subscription", params["subscription"], "subscription")
        invoice_item["parent"] = parent_of(sub)
    if price:
        invoice_item["pricing"] = pricing(price)
    return keep(world, invoice_item)


def build(world: World, customer: str, amount: int, currency: str, **fields: Any) -> JSON:
    """An invoice item; not stored yet."""
    invoice_item: JSON = {
        "id": world.ids.timed("ii", world.now),
        "object": "invoiceitem",
        "amount": amount,
        "currency": currency,
        "customer": customer,
        "customer_account": None,
        "date": world.now,
        "description": None,
        "discountable": True,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "net_amount": amount,
        "parent": None,
        "period": {"end": world.now, "start": world.now},
        "pricing": None,
        "proration": False,
        "quantity": 1,
        "tax_rates": [],
        "test_clock": None,
    }
    invoice_item |= fields
    invoice_item["quantity_decimal"] = str(invoice_item["quantity"])
    return invoice_item


def keep(world: World, invoice_item: JSON) -> JSON:
    """Make a built item known: invoiceitem.created."""
    world.add(invoice_item)
    if invoice_item["invoice"] is None:
        waiting(world, invoice_item["customer"]).append(invoice_item["id"])
    world.record("invoiceitem.created", invoice_item)
    return invoice_item


def update(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/invoiceitems/:id; Stripe sends no event."""
    invoice_item = world.get("invoiceitem", id)
    set_fields(invoice_item, params, "description", "amount", "discountable")
    invoice_item["metadata"] = metadata(params, invoice_item["metadata"])
    return invoice_item


def delete(world: World, id: str, params: JSON) -> JSON:
    """DELETE /v1/invoiceitems/:id, while no invoice has it."""
    invoice_item = world.get("invoiceitem", id)
    if invoice_item["invoice"] is not None:
        raise invalid("This invoice item is on an invoice already.", "id")
    waiting(world, invoice_item["customer"]).remove(id)
    world.record("invoiceitem.deleted", invoice_item)
    return world.remove(invoice_item)


def waiting(world: World, customer: str) -> list[str]:
    """Ids of a customer's items that wait for an invoice."""
    ids: list[str] = world.facts("waiting_items").setdefault(customer, [])
    return ids


def take(world: World, customer: str, invoice: str, subscription: str | None) -> list[JSON]:
    """Put the waiting items on an invoice; other subscriptions' items keep waiting."""
    taken = []
    for id in list(waiting(world, customer)):
        invoice_item = world.get("invoiceitem", id)
        details = (invoice_item["parent"] or {}).get("subscription_details") or {}
        if details.get("subscription") in (None, subscription):
            waiting(world, customer).remove(id)
            invoice_item["invoice"] = invoice
            taken.append(invoice_item)
    return taken


def parent_of(sub: JSON) -> JSON:
    """The `parent` of a subscription's invoice items."""
    return {
        "subscription_details": {"subscription": sub["id"]},
        "type": "subscription_details",
    }


def _price(world: World, params: JSON) -> JSON | None:
    given = params.get("pricing") or {}
    if params.get("price_data"):
        return prices.from_data(world, params["price_data"])
    return world.get("price", given["price"], "pricing[price]") if given.get("price") else None
