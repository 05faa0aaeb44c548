"""Customers: who pays."""

from typing import Any

from stripe_simulator.errors import invalid
from stripe_simulator.parameters import metadata, optional, set_fields
from stripe_simulator.resources import discounts, payment_methods
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

FIELDS = ("description", "email", "name", "phone", "shipping", "tax_exempt")


def create(world: World, params: JSON) -> JSON:
    """POST /v1/customers; `payment_method` is attached, and `source` tokens become one."""
    _check_email(params, may_be_empty=False)
    customer: JSON = {
        "id": world.ids.plain("cus"),
        "object": "customer",
        "address": _address(params.get("address")),
        "balance": optional(params, "balance", 0),
        "created": world.now,
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": world.ids.letters(8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": metadata(params),
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": optional(params, "preferred_locales", []),
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
    set_fields(customer, params, *FIELDS)
    _invoice_settings(world, customer, params)
    world.add(customer)
    method = optional(params, "payment_method") or optional(params, "source")
    if method:
        attached = payment_methods.attach(world, method, {"customer": customer["id"]})
        settings = customer["invoice_settings"]
        if params.get("source") or settings["default_payment_method"] == method:
            settings["default_payment_method"] = attached["id"]
    world.record("customer.created", customer)
    return customer


def update(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/customers/:id."""
    customer = world.get("customer", id)
    _check_email(params, may_be_empty=True)
    with world.change(customer, "customer.updated"):
        set_fields(customer, params, *FIELDS, "balance", "preferred_locales")
        if "address" in params:
            customer["address"] = _address(params["address"])
        customer["metadata"] = metadata(params, customer["metadata"])
        _invoice_settings(world, customer, params)
    return customer


def delete(world: World, id: str, params: JSON) -> JSON:
    """DELETE /v1/customers/:id; the caller ends the customer's subscriptions first."""
    customer = world.get("customer", id)
    world.record("customer.deleted", customer)
    return world.remove(customer)


def make_default(world: World, customer: JSON, payment_method: str | None) -> None:
    """Choose the payment method for invoices."""
    with world.change(customer, "customer.updated"):
        customer["invoice_settings"]["default_payment_method"] = payment_method


def next_invoice_number(world: World, customer: JSON) -> str:
    """Return the next invoice number; the sequence moves on without an event of its own."""
    sequences = world.facts("invoice_sequences")
    sequence = sequences[customer["id"]] = sequences.get(customer["id"], 0) + 1
    return f"{customer['invoice_prefix']}-{sequence:04d}"


def delete_discount(world: World, id: str, params: JSON) -> JSON:
    """DELETE /v1/customers/:id/discount."""
    customer = world.get("customer", id)
    discount = customer["discount"]
    if discount:
        discounts.take_back(world, discount["id"])
        with world.change(customer, "customer.updated"):
            customer["discount"] = None
    return {"object": "discount", "deleted": True} | (discount or {})


def _check_email(params: JSON, *, may_be_empty: bool) -> None:
    """An empty address unsets the one that is there; a new customer has none to unset."""
    email = params.get("email")
    if email is None or (email == "" and may_be_empty):
        return
    if "@" not in email.strip("@") or len(email) > 512 or any(map(str.isspace, email)):
        raise invalid(f"Invalid email address: {email}", "email", "email_invalid")


def _address(given: Any) -> JSON | None:
    if not given:
        return None
    keys = ("city", "country", "line1", "line2", "postal_code", "state")
    return {key: given.get(key) or None for key in keys}


def _invoice_settings(world: World, customer: JSON, params: JSON) -> None:
    given = params.get("invoice_settings") or {}
    if given.get("default_payment_method"):
        payment_methods.must_exist(world, given["default_payment_method"])
    set_fields(
        customer["invoice_settings"], given, "custom_fields", "default_payment_method", "footer"
    )
