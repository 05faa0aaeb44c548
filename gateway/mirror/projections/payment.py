"""Money that moves, or comes back: payment intents, charges, refunds, disputes."""

from gateway.dates import unix_to_column
from gateway.shapes import card, mapping, number, relation, stripe_id, text
from gateway.writes import Changes, Json, Row


def project_payment_intent(intent: Json, deleted: bool) -> Changes:
    """``amount_received`` is what came in; succeeded and canceled are its ends."""
    status = text(intent.get("status"))
    values = {
        "customer": relation(intent.get("customer")),
        "status": status,
        "currency": text(intent.get("currency")),
        "amount": number(intent.get("amount")),
        "amount_received": number(intent.get("amount_received")),
        "description": text(intent.get("description")),
        "last_error": text(mapping(intent.get("last_payment_error")).get("message")),
        "presentment_details": intent.get("presentment_details"),
        "canceled_at": unix_to_column(intent.get("canceled_at")),
        "metadata": mapping(intent.get("metadata")),
        "created": unix_to_column(intent.get("created")),
    }
    rank = 2 if status in ("succeeded", "canceled") else 1
    return Changes(Row("payments", stripe_id(intent), values, final=deleted, rank=rank))


def project_charge(charge: Json, deleted: bool) -> Changes:
    """``amount_refunded`` grows with each refund; ``refunded`` is true when all came back.

    ``outcome`` is hidden from users because it tells what the seller knows of fraud, and so is
    ``balance_transaction``. A charge gets that one after it has succeeded, and keeps it.
    """
    details = card(charge.get("payment_method_details"))
    values = {
        "customer": relation(charge.get("customer")),
        "payment": relation(charge.get("payment_intent")),
        "status": text(charge.get("status")),
        "currency": text(charge.get("currency")),
        "amount": number(charge.get("amount")),
        "amount_captured": number(charge.get("amount_captured")),
        "amount_refunded": number(charge.get("amount_refunded")),
        "paid": bool(charge.get("paid")),
        "refunded": bool(charge.get("refunded")),
        "disputed": bool(charge.get("disputed") or charge.get("dispute")),
        "failure_code": text(charge.get("failure_code")),
        "failure_message": text(charge.get("failure_message")),
        "outcome": mapping(charge.get("outcome")) or None,
        "balance_transaction": relation(charge.get("balance_transaction")),
        "brand": text(details.get("brand")),
        "last4": text(details.get("last4")),
        "receipt_url": text(charge.get("receipt_url")),
        "presentment_details": charge.get("presentment_details"),
        "metadata": mapping(charge.get("metadata")),
        "created": unix_to_column(charge.get("created")),
    }
    rank = 1 + (values["status"] in ("succeeded", "failed")) + bool(values["balance_transaction"])
    return Changes(Row("charges", stripe_id(charge), values, final=deleted, rank=rank))


def project_refund(refund: Json, deleted: bool) -> Changes:
    """A refund that succeeded can still fail later, when the bank sends it back."""
    values = {
        "payment": relation(refund.get("payment_intent")),
        "charge": relation(refund.get("charge")),
        "status": text(refund.get("status")),
        "reason": text(refund.get("reason")),
        "currency": text(refund.get("currency")),
        "amount": number(refund.get("amount")),
        "failure_reason": text(refund.get("failure_reason")),
        "presentment_details": refund.get("presentment_details"),
        "metadata": mapping(refund.get("metadata")),
        "created": unix_to_column(refund.get("created")),
    }
    rank = {"pending": 1, "requires_action": 1, "succeeded": 2}.get(str(values["status"]), 3)
    return Changes(Row("refunds", stripe_id(refund), values, final=deleted, rank=rank))


def project_dispute(dispute: Json, deleted: bool) -> Changes:
    """Won and lost are its ends; the amount was taken back from the start."""
    values = {
        "payment": relation(dispute.get("payment_intent")),
        "charge": relation(dispute.get("charge")),
        "status": text(dispute.get("status")),
        "reason": text(dispute.get("reason")),
        "currency": text(dispute.get("currency")),
        "amount": number(dispute.get("amount")),
        "evidence_due_by": unix_to_column(mapping(dispute.get("evidence_details")).get("due_by")),
        "metadata": mapping(dispute.get("metadata")),
        "created": unix_to_column(dispute.get("created")),
    }
    rank = 2 if values["status"] in ("won", "lost", "warning_closed") else 1
    return Changes(Row("disputes", stripe_id(dispute), values, final=deleted, rank=rank))
