"""Money that moves, or comes back: payment intents, charges, refunds, disputes."""

from gateway.dates import unix_to_column
from gateway.rows import Changes, Json, Row
from gateway.stripe_api.fields import as_dict, as_number, as_text, card, relation, stripe_id


def project_payment_intent(intent: Json, deleted: bool) -> Changes:
    """A PaymentIntent; its final statuses are succeeded and canceled."""
    status = as_text(intent.get("status"))
    values = {
        "customer": relation(intent.get("customer")),
        "status": status,
        "currency": as_text(intent.get("currency")),
        "amount": as_number(intent.get("amount")),
        "amount_received": as_number(intent.get("amount_received")),
        "description": as_text(intent.get("description")),
        "last_error": as_text(as_dict(intent.get("last_payment_error")).get("message")),
        "presentment_details": as_dict(intent.get("presentment_details")) or None,
        "canceled_at": unix_to_column(intent.get("canceled_at")),
        "metadata": as_dict(intent.get("metadata")),
        "created": unix_to_column(intent.get("created")),
    }
    rank = 2 if status in ("succeeded", "canceled") else 1
    return Changes(Row("payments", stripe_id(intent), values, final=deleted, rank=rank))


def project_charge(charge: Json, deleted: bool) -> Changes:
    """``amount_refunded`` grows with each refund; ``refunded`` is true when all came back.

    ``outcome`` is hidden from users because it contains the seller's signals of fraud, and so is
    ``balance_transaction``. A charge gets that one after it has succeeded, and keeps it.
    """
    details = card(charge.get("payment_method_details"))
    values = {
        "customer": relation(charge.get("customer")),
        "payment": relation(charge.get("payment_intent")),
        "status": as_text(charge.get("status")),
        "currency": as_text(charge.get("currency")),
        "amount": as_number(charge.get("amount")),
        "amount_captured": as_number(charge.get("amount_captured")),
        "amount_refunded": as_number(charge.get("amount_refunded")),
        "paid": bool(charge.get("paid")),
        "refunded": bool(charge.get("refunded")),
        "disputed": bool(charge.get("disputed") or charge.get("dispute")),
        "failure_code": as_text(charge.get("failure_code")),
        "failure_message": as_text(charge.get("failure_message")),
        "outcome": as_dict(charge.get("outcome")) or None,
        "balance_transaction": relation(charge.get("balance_transaction")),
        "brand": as_text(details.get("brand")),
        "last4": as_text(details.get("last4")),
        "receipt_url": as_text(charge.get("receipt_url")),
        "presentment_details": as_dict(charge.get("presentment_details")) or None,
        "metadata": as_dict(charge.get("metadata")),
        "created": unix_to_column(charge.get("created")),
    }
    rank = 1 + (values["status"] in ("succeeded", "failed")) + bool(values["balance_transaction"])
    return Changes(Row("charges", stripe_id(charge), values, final=deleted, rank=rank))


def project_refund(refund: Json, deleted: bool) -> Changes:
    """A refund that succeeded can still fail later, when the bank sends it back."""
    values = {
        "payment": relation(refund.get("payment_intent")),
        "charge": relation(refund.get("charge")),
        "status": as_text(refund.get("status")),
        "reason": as_text(refund.get("reason")),
        "currency": as_text(refund.get("currency")),
        "amount": as_number(refund.get("amount")),
        "failure_reason": as_text(refund.get("failure_reason")),
        "presentment_details": as_dict(refund.get("presentment_details")) or None,
        "metadata": as_dict(refund.get("metadata")),
        "created": unix_to_column(refund.get("created")),
    }
    rank = {"pending": 1, "requires_action": 1, "succeeded": 2}.get(str(values["status"]), 3)
    return Changes(Row("refunds", stripe_id(refund), values, final=deleted, rank=rank))


def project_dispute(dispute: Json, deleted: bool) -> Changes:
    """A dispute; its final statuses are won, lost, prevented and warning_closed."""
    values = {
        "payment": relation(dispute.get("payment_intent")),
        "charge": relation(dispute.get("charge")),
        "status": as_text(dispute.get("status")),
        "reason": as_text(dispute.get("reason")),
        "currency": as_text(dispute.get("currency")),
        "amount": as_number(dispute.get("amount")),
        "evidence_due_by": unix_to_column(as_dict(dispute.get("evidence_details")).get("due_by")),
        "metadata": as_dict(dispute.get("metadata")),
        "created": unix_to_column(dispute.get("created")),
    }
    is_closed = values["status"] in ("won", "lost", "prevented", "warning_closed")
    rank = 2 if is_closed else 1
    return Changes(Row("disputes", stripe_id(dispute), values, final=deleted, rank=rank))
