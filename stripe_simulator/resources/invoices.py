"""Invoices: their amounts and their life from draft to paid, void or uncollectible."""

from typing import Any

from stripe_simulator.errors import invalid
from stripe_simulator.parameters import listing, metadata, optional, set_fields
from stripe_simulator.resources import (
    coupons,
    customers,
    discounts,
    invoice_payments,
    redemptions,
    tax_rates,
)
from stripe_simulator.settings import DAY
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def build(world: World, customer: JSON, lines: list[JSON], **fields: Any) -> JSON:
    """A draft invoice, not stored yet; `keep` stores it."""
    invoice: JSON = _empty(world, customer) | fields
    for line in lines:
        line["invoice"] = invoice["id"]
    invoice["lines"] = listing(lines, f"/v1/invoices/{invoice['id']}/lines")
    total_up(world, invoice)
    return invoice


def keep(world: World, invoice: JSON) -> JSON:
    """Make a built invoice known: invoice.created."""
    world.add(invoice)
    customer = world.get("customer", invoice["customer"])
    if customer["currency"] is None:
        with world.change(customer, "customer.updated"):
            customer["currency"] = invoice["currency"]
    for id in invoice["discounts"]:
        discount = world.get("discount", id)
        if coupons_duration(world, discount) == "once" and discount["end"] is None:
            discount["end"] = world.now
    world.record("invoice.created", invoice)
    return invoice


def coupons_duration(world: World, discount: JSON) -> str:
    """once, repeating or forever."""
    return str(discounts.coupon_of(world, discount)["duration"])


def total_up(world: World, invoice: JSON) -> None:
    """Compute every amount from the lines, discounts, taxes and the customer's balance."""
    lines = invoice["lines"]["data"]
    subtotal = sum(line["amount"] for line in lines)
    invoice["subtotal"] = invoice["subtotal_excluding_tax"] = subtotal
    off = _discount_amounts(world, invoice, max(0, subtotal))
    reduced = sum(entry["amount"] for entry in off)
    taxes = tax_rates.of_lines(world, invoice, lines, reduced)
    net = subtotal - reduced
    added = sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "exclusive")
    contained = sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "inclusive")
    total = net + added
    customer = world.find("customer", invoice["customer"])
    balance = customer["balance"] if customer else 0
    due = max(0, total + balance)
    invoice |= {
        "total_discount_amounts": off,
        "total_taxes": taxes,
        "total": total,
        "total_excluding_tax": net - contained,
        "starting_balance": balance,
        "amount_due": due,
        "amount_remaining": due - invoice["amount_paid"],
    }


def finalize(world: World, invoice: JSON) -> JSON:
    """Give the invoice its number and pages and open it: invoice.finalized."""
    if invoice["status"] != "draft":
        raise invalid("This invoice is already finalized.", code="invoice_not_editable")
    customer = world.get("customer", invoice["customer"])
    base = f"{world.settings.public_url}/i/{invoice['id']}"
    ending = min(0, customer["balance"] + invoice["total"])
    invoice |= {
        "status": "open",
        "number": customers.next_invoice_number(world, customer),
        "effective_at": world.now,
        "hosted_invoice_url": base,
        "invoice_pdf": f"{base}/pdf",
        "ending_balance": ending,
        "automatically_finalizes_at": None,
    }
    invoice["status_transitions"]["finalized_at"] = world.now
    world.record("invoice.finalized", invoice)
    if invoice["due_date"]:
        world.clock.at(invoice["due_date"], "invoice_overdue", invoice["id"])
    if customer["balance"] != ending:
        with world.change(customer, "customer.updated"):
            customer["balance"] = ending
    return invoice


def mark_paid(world: World, invoice: JSON, out_of_band: bool = False) -> None:
    """The money came: invoice.updated, invoice.paid, invoice.payment_succeeded."""
    with world.change(invoice, "invoice.updated"):
        paid = 0 if out_of_band else invoice["amount_due"]
        invoice |= {
            "status": "paid",
            "attempted": True,
            "attempt_count": invoice["attempt_count"] + (1 if invoice["amount_due"] else 0),
            "amount_paid": invoice["amount_due"],
            "amount_paid_off_stripe": invoice["amount_due"] - paid,
            "amount_remaining": 0,
            "auto_advance": False,
            "next_payment_attempt": None,
        }
        invoice["status_transitions"]["paid_at"] = world.now
    payment = invoice_payments.open_of(world, invoice)
    if payment is not None:
        _close_payment(world, payment, out_of_band)
    world.record("invoice.paid", invoice)
    world.record("invoice.payment_succeeded", invoice)


def mark_failed(world: World, invoice: JSON, next_attempt: int | None, action: bool) -> None:
    """An attempt failed or needs the customer: invoice.payment_failed."""
    with world.change(invoice, "invoice.updated"):
        invoice["attempted"] = True
        invoice["attempt_count"] += 1
        invoice["next_payment_attempt"] = next_attempt
        invoice["auto_advance"] = next_attempt is not None
    world.record("invoice.payment_failed", invoice)
    if action:
        world.record("invoice.payment_action_required", invoice)


def void(world: World, invoice: JSON) -> JSON:
    """Cancel an open invoice: invoice.voided."""
    return _close(world, invoice, "void", "voided_at", "invoice.voided", "open", "uncollectible")


def mark_uncollectible(world: World, invoice: JSON) -> JSON:
    """Give an open invoice up: invoice.marked_uncollectible."""
    name = "invoice.marked_uncollectible"
    return _close(world, invoice, "uncollectible", "marked_uncollectible_at", name, "open")


def update(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/invoices/:id."""
    invoice = world.get("invoice", id)
    with world.change(invoice, "invoice.updated"):
        set_fields(invoice, params, "description", "footer", "auto_advance", "due_date")
        invoice["metadata"] = metadata(params, invoice["metadata"])
        if not invoice["auto_advance"]:
            invoice |= {"automatically_finalizes_at": None, "next_payment_attempt": None}
        elif invoice["status"] == "draft":
            plan(world, invoice)
    return invoice


def plan(world: World, invoice: JSON) -> None:
    """A draft that advances by itself is finalized after an hour."""
    if invoice["automatically_finalizes_at"] is None:
        when = world.now + world.settings.draft_seconds
        invoice["automatically_finalizes_at"] = when
        world.clock.at(when, "finalize_invoice", invoice["id"])


def delete(world: World, id: str, params: JSON) -> JSON:
    """DELETE /v1/invoices/:id: only a draft of no subscription."""
    invoice = world.get("invoice", id)
    if invoice["status"] != "draft" or subscription_id(invoice):
        raise invalid("You can only delete draft invoices of no subscription.", "id")
    world.record("invoice.deleted", invoice)
    return world.remove(invoice)


def subscription_id(invoice: JSON) -> str | None:
    """The subscription that an invoice belongs to, if any."""
    details = (invoice["parent"] or {}).get("subscription_details") or {}
    id: str | None = details.get("subscription")
    return id


def parent_of(sub: JSON) -> JSON:
    """The `parent` of a subscription's invoices."""
    details = {"metadata": dict(sub["metadata"]), "subscription": sub["id"]}
    return {
        "quote_details": None,
        "subscription_details": details,
        "type": "subscription_details",
    }


def _close(world: World, invoice: JSON, status: str, moment: str, event: str, *before: str) -> JSON:
    if invoice["status"] not in before:
        raise invalid(f"This invoice is {invoice['status']}.", code="invoice_not_editable")
    with world.change(invoice, "invoice.updated"):
        invoice |= {"status": status, "auto_advance": False, "next_payment_attempt": None}
        invoice["status_transitions"][moment] = world.now
    payment = invoice_payments.open_of(world, invoice)
    if payment is not None and status == "void":
        invoice_payments.mark_canceled(world, payment)
    world.record(event, invoice)
    return invoice


def _close_payment(world: World, payment: JSON, out_of_band: bool) -> None:
    if out_of_band:
        invoice_payments.mark_canceled(world, payment)
    else:
        invoice_payments.mark_paid(world, payment)


def _discount_amounts(world: World, invoice: JSON, subtotal: int) -> list[JSON]:
    amounts, left = [], subtotal
    for discount in discounts.in_force(world, invoice["discounts"]):
        coupon = discounts.coupon_of(world, discount)
        off = coupons.amount_off(coupon, min(left, _discountable(world, invoice, coupon, subtotal)))
        left -= off
        amounts.append({"amount": off, "discount": discount["id"]})
    return amounts


def _discountable(world: World, invoice: JSON, coupon: JSON, subtotal: int) -> int:
    """The part of an invoice's amount that a coupon applies to."""
    only = redemptions.applies_to(world, coupon["id"])
    if not only:
        return subtotal
    return sum(
        line["amount"]
        for line in invoice["lines"]["data"]
        if ((line["pricing"] or {}).get("price_details") or {}).get("product") in only
    )


def due_date(world: World, params: JSON) -> int | None:
    """When an invoice that is sent must be paid."""
    days = optional(params, "days_until_due")
    due: int | None = optional(params, "due_date")
    return world.now + int(days) * DAY if days is not None else due


def _empty(world: World, customer: JSON) -> JSON:
    automatic_tax: JSON = dict.fromkeys(("disabled_reason", "liability", "provider", "status"))
    return dict.fromkeys(NOTHING) | {
        "id": world.ids.timed("in", world.now),
        "object": "invoice",
        "account_country": "US",
        "account_name": "Simulated account",
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_paid_off_stripe": 0,
        "amount_shipping": 0,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": automatic_tax | {"enabled": False},
        "billing_reason": "manual",
        "collection_method": "charge_automatically",
        "created": world.now,
        "currency": "usd",
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": customer["shipping"],
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [],
        "default_tax_rates": [],
        "discounts": [],
        "issuer": {"type": "self"},
        "livemode": False,
        "metadata": {},
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": world.now,
        "period_start": world.now,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": 0,
        "status": "draft",
        "status_transitions": dict.fromkeys(
            ("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")
        ),
        "total_pretax_credit_amounts": [],
    }


NOTHING = (
    "account_tax_ids",
    "application",
    "automatically_finalizes_at",
    "custom_fields",
    "customer_account",
    "default_payment_method",
    "default_source",
    "description",
    "due_date",
    "effective_at",
    "ending_balance",
    "footer",
    "from_invoice",
    "hosted_invoice_url",
    "invoice_pdf",
    "last_finalization_error",
    "latest_revision",
    "next_payment_attempt",
    "number",
    "on_behalf_of",
    "parent",
    "receipt_number",
    "rendering",
    "shipping_cost",
    "shipping_details",
    "statement_descriptor",
    "test_clock",
    "webhooks_delivered_at",
)
