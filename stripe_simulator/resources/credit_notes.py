"""Credit notes: a finalized invoice made smaller, before or after it was paid."""

from typing import Any

from stripe_simulator.errors import invalid
from stripe_simulator.parameters import listing, metadata, optional, required
from stripe_simulator.resources import invoice_payments, invoices, refunds
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def create(world: World, params: JSON) -> JSON:
    """POST /v1/credit_notes over an amount, or over whole lines."""
    invoice = world.get("invoice", required(params, "invoice"), "invoice")
    if invoice["status"] not in ("open", "paid", "uncollectible"):
        raise invalid("Credit notes are only for finalized invoices.", "invoice")
    lines = [_line(world, invoice, given) for given in optional(params, "lines", [])]
    amount = sum(line["amount"] for line in lines) or required(params, "amount")
    _must_fit(invoice, amount)
    paid = invoice["status"] == "paid"
    note = _credit_note(world, invoice, amount, paid, params)
    note["lines"] = listing(
        lines or [_custom(world, amount)], f"/v1/credit_notes/{note['id']}/lines"
    )
    if paid:
        note["refunds"] = _refunds(world, invoice, params)
        _credit(world, note, optional(params, "credit_amount", 0))
    world.add(note)
    world.record("credit_note.created", note)
    _apply(world, invoice, amount, paid)
    return note


def update(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/credit_notes/:id."""
    note = world.get("credit_note", id)
    with world.change(note, "credit_note.updated"):
        note["memo"] = optional(params, "memo", note["memo"])
        note["metadata"] = metadata(params, note["metadata"])
    return note


def void(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/credit_notes/:id/void, while the invoice is open."""
    note = world.get("credit_note", id)
    invoice = world.get("invoice", note["invoice"])
    if note["status"] == "void" or invoice["status"] != "open":
        raise invalid("This credit note cannot be voided.", "id")
    note |= {"status": "void", "voided_at": world.now}
    world.record("credit_note.voided", note)
    _apply(world, invoice, -note["total"], paid=False)
    return note


def _must_fit(invoice: JSON, amount: int) -> None:
    name = "post_payment" if invoice["status"] == "paid" else "pre_payment"
    limit = invoice["total"] - invoice["post_payment_credit_notes_amount"]
    if name == "pre_payment":
        limit = invoice["amount_remaining"]
    if amount > limit:
        raise invalid("The credit note is larger than what is left of the invoice.", "amount")


def _apply(world: World, invoice: JSON, amount: int, paid: bool) -> None:
    with world.change(invoice, "invoice.updated"):
        if paid:
            invoice["post_payment_credit_notes_amount"] += amount
        else:
            invoice["pre_payment_credit_notes_amount"] += amount
            invoice["amount_due"] -= amount
            invoice["amount_remaining"] -= amount
    if invoice["status"] != "open":
        return
    payment = invoice_payments.open_of(world, invoice)
    if payment is not None:
        intent = world.get("payment_intent", payment["payment"]["payment_intent"])
        intent["amount"] = payment["amount_requested"] = invoice["amount_due"]
    if invoice["amount_due"] == 0:
        invoices.mark_paid(world, invoice, out_of_band=True)


def _credit(world: World, note: JSON, amount: int) -> None:
    """Credit on the customer's balance pays the next invoices."""
    if not amount:
        return
    note["customer_balance_transaction"] = world.ids.timed("cbtxn", world.now)
    customer = world.get("customer", note["customer"])
    with world.change(customer, "customer.updated"):
        customer["balance"] -= amount


def _refunds(world: World, invoice: JSON, params: JSON) -> list[JSON]:
    amount = optional(params, "refund_amount")
    if not amount:
        return []
    payments = [p for p in invoice_payments.of_invoice(world, invoice) if p["status"] == "paid"]
    intent = payments[-1]["payment"]["payment_intent"]
    refund = refunds.create(world, {"payment_intent": intent, "amount": amount})
    return [
        {
            "amount_refunded": amount,
            "payment_record_refund": None,
            "refund": refund["id"],
            "type": "refund",
        }
    ]


def _line(world: World, invoice: JSON, given: JSON) -> JSON:
    if given["type"] == "custom_line_item":
        return _custom(world, int(given.get("quantity", 1)) * int(given["unit_amount"]))
    lines = {line["id"]: line for line in invoice["lines"]["data"]}
    line = lines[given["invoice_line_item"]]
    amount = given.get("amount", line["amount"])
    fields = {"invoice_line_item": line["id"], "type": "invoice_line_item"}
    return _custom(world, amount) | fields | {"description": line["description"]}


def _custom(world: World, amount: int) -> JSON:
    return {
        "id": world.ids.timed("cnli", world.now),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": "Credit",
        "discount_amount": 0,
        "discount_amounts": [],
        "livemode": False,
        "metadata": {},
        "pretax_credit_amounts": [],
        "quantity": 1,
        "tax_rates": [],
        "taxes": [],
        "type": "custom_line_item",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }


def _credit_note(world: World, invoice: JSON, amount: int, paid: bool, params: JSON) -> JSON:
    numbers: dict[str, Any] = world.facts("credit_note_numbers")
    number = numbers[invoice["id"]] = numbers.get(invoice["id"], 0) + 1
    id = world.ids.timed("cn", world.now)
    return {
        "id": id,
        "object": "credit_note",
        "amount": amount,
        "amount_shipping": 0,
        "created": world.now,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "customer_account": None,
        "customer_balance_transaction": None,
        "discount_amount": 0,
        "discount_amounts": [],
        "effective_at": world.now,
        "invoice": invoice["id"],
        "livemode": False,
        "memo": optional(params, "memo"),
        "metadata": metadata(params),
        "number": f"{invoice['number']}-CN-{number:02d}",
        "out_of_band_amount": optional(params, "out_of_band_amount"),
        "pdf": f"{world.settings.public_url}/cn/{id}/pdf",
        "post_payment_amount": amount if paid else 0,
        "pre_payment_amount": 0 if paid else amount,
        "pretax_credit_amounts": [],
        "reason": optional(params, "reason"),
        "refunds": [],
        "shipping_cost": None,
        "status": "issued",
        "subtotal": amount,
        "subtotal_excluding_tax": amount,
        "total": amount,
        "total_excluding_tax": amount,
        "total_taxes": [],
        "type": "post_payment" if paid else "pre_payment",
        "voided_at": None,
    }
