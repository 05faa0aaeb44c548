"""Invoices, invoice payments and credit notes."""

from gateway.dates import unix_to_column
from gateway.mirror.projections.discount import read_invoice_discounts
from gateway.rows import Changes, Json, Row
from gateway.stripe_api.fields import (
    as_dict,
    as_list,
    as_number,
    as_text,
    invoice_payment,
    invoice_subscription,
    invoice_tax,
    item_price,
    line_discount,
    line_origin,
    line_tax,
    relation,
    stripe_id,
)


def project_invoice(invoice: Json, deleted: bool) -> Changes:
    """A trial's invoice of 0 has no payment; a draft that is deleted stays as a deleted row."""
    status = as_text(invoice.get("status"))
    times = as_dict(invoice.get("status_transitions"))
    total = invoice.get("total")
    lines = as_list(invoice.get("lines"))
    values = {
        "customer": relation(invoice.get("customer")),
        "subscription": relation(invoice_subscription(invoice)),
        "payment": relation(invoice_payment(invoice)),
        "status": status,
        "number": as_text(invoice.get("number")),
        "billing_reason": as_text(invoice.get("billing_reason")),
        "currency": as_text(invoice.get("currency")),
        "subtotal": as_number(invoice.get("subtotal")),
        "tax": invoice_tax(invoice),
        "discounts": read_invoice_discounts(invoice),
        "total": as_number(total),
        "amount_due": as_number(invoice.get("amount_due")),
        "amount_paid": as_number(invoice.get("amount_paid")),
        "amount_remaining": as_number(invoice.get("amount_remaining")),
        "lines": [_line(line) for line in lines],
        "has_more": as_dict(invoice.get("lines")).get("has_more") is True,
        "one_time": any(map(_is_one_time, lines)),
        "hosted_invoice_url": as_text(invoice.get("hosted_invoice_url")),
        "invoice_pdf": as_text(invoice.get("invoice_pdf")),
        "due_date": unix_to_column(invoice.get("due_date")),
        "period_start": unix_to_column(invoice.get("period_start")),
        "period_end": unix_to_column(invoice.get("period_end")),
        "paid_at": unix_to_column(times.get("paid_at")),
        "next_payment_attempt": unix_to_column(invoice.get("next_payment_attempt")),
        "last_finalization_error": _finalization_error(invoice),
        "metadata": as_dict(invoice.get("metadata")),
        "deleted": deleted,
        "created": unix_to_column(invoice.get("created")),
    }
    rank = {"draft": 1, "open": 2, "uncollectible": 3, "paid": 4, "void": 4}.get(status, 1)
    return Changes(Row("invoices", stripe_id(invoice), values, final=deleted, rank=rank))


def _finalization_error(invoice: Json) -> Json | None:
    """The error of the last finalization; None after a successful one."""
    error = as_dict(invoice.get("last_finalization_error"))
    names = ("type", "code", "message", "param")
    return {name: as_text(error.get(name)) for name in names} if error else None


def _line(line: Json) -> Json:
    price, origin, period = item_price(line), line_origin(line), as_dict(line.get("period"))
    return {
        "id": stripe_id(line),
        "description": line.get("description"),
        "amount": line.get("amount"),
        "discount": line_discount(line),
        "tax": line_tax(line),
        "quantity": line.get("quantity"),
        "price": stripe_id(price),
        "product": stripe_id(price.get("product")),
        "subscription_item": stripe_id(origin.get("subscription_item")),
        "invoice_item": stripe_id(origin.get("invoice_item")),
        "proration": origin.get("proration") is True,
        "period": {
            "start": unix_to_column(period.get("start")),
            "end": unix_to_column(period.get("end")),
        },
    }


def _is_one_time(line: Json) -> bool:
    """Whether a line is a one-time sale, not a subscription's period or proration."""
    origin = line_origin(line)
    return not origin.get("subscription_item") and origin.get("proration") is not True


def project_invoice_payment(payment: Json, deleted: bool) -> Changes:
    """Which payment paid which invoice; open, then paid or canceled."""
    paid_by = as_dict(payment.get("payment"))
    status = as_text(payment.get("status"))
    values = {
        "invoice": relation(payment.get("invoice")),
        "payment": relation(paid_by.get("payment_intent")),
        "charge": relation(paid_by.get("charge")),
        "status": status,
        "currency": as_text(payment.get("currency")),
        "amount_paid": as_number(payment.get("amount_paid")),
        "paid_at": unix_to_column(as_dict(payment.get("status_transitions")).get("paid_at")),
        "created": unix_to_column(payment.get("created")),
    }
    rank = 2 if status in ("paid", "canceled") else 1
    return Changes(Row("invoice_payments", stripe_id(payment), values, final=deleted, rank=rank))


def project_credit_note(note: Json, deleted: bool) -> Changes:
    """Issued, and perhaps voided."""
    status = as_text(note.get("status"))
    values = {
        "customer": relation(note.get("customer")),
        "invoice": relation(note.get("invoice")),
        "status": status,
        "number": as_text(note.get("number")),
        "type": as_text(note.get("type")),
        "reason": as_text(note.get("reason")),
        "currency": as_text(note.get("currency")),
        "total": as_number(note.get("total")),
        "out_of_band_amount": _returned_elsewhere(note),
        "pdf": as_text(note.get("pdf")),
        "metadata": as_dict(note.get("metadata")),
        "created": unix_to_column(note.get("created")),
    }
    rank = 2 if status == "void" else 1
    return Changes(Row("credit_notes", stripe_id(note), values, final=deleted, rank=rank))


def _returned_elsewhere(note: Json) -> int | float:
    """Money that the seller gave back without a refund of Stripe's: in cash, or by a bank."""
    records = [each for each in as_list(note.get("refunds")) if each.get("payment_record_refund")]
    recorded = sum(as_number(each.get("amount_refunded")) for each in records)
    return as_number(note.get("out_of_band_amount")) + recorded
