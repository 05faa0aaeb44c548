"""Disputes: a customer takes the money back through the bank."""

from stripe_simulator.errors import invalid
from stripe_simulator.parameters import metadata
from stripe_simulator.resources import balance_transactions
from stripe_simulator.settings import DAY
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

EVIDENCE = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)


def open(
    world: World, charge_id: str, reason: str = "fraudulent", amount: int | None = None
) -> JSON:
    """The bank opens a dispute and takes the money: three events."""
    charge = world.get("charge", charge_id)
    if not charge["paid"] or charge["disputed"]:
        raise invalid("This charge cannot be disputed.", "charge")
    dispute = world.add(_dispute(world, charge, reason, amount))
    with world.change(charge, "charge.updated"):
        charge["disputed"] = True
    world.record("charge.dispute.created", dispute)
    with world.change(dispute, "charge.dispute.updated"):
        dispute["balance_transactions"] = [_transaction(world, dispute, -1)]
    world.record("charge.dispute.funds_withdrawn", dispute)
    return dispute


def update(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/disputes/:id: evidence, which `submit` sends."""
    dispute = world.get("dispute", id)
    if dispute["status"] not in ("needs_response", "under_review"):
        raise invalid(f"This dispute is {dispute['status']}.", "id")
    with world.change(dispute, "charge.dispute.updated"):
        dispute["metadata"] = metadata(params, dispute["metadata"])
        dispute["evidence"] |= params.get("evidence") or {}
        dispute["evidence_details"]["has_evidence"] = any(
            dispute["evidence"][name] for name in EVIDENCE
        )
        if params.get("submit", True) and params.get("evidence"):
            dispute["status"] = "under_review"
            dispute["evidence_details"]["submission_count"] += 1
    return dispute


def close_by_api(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/disputes/:id/close: the seller gives in."""
    return close(world, id, "lost")


def close(world: World, id: str, status: str) -> JSON:
    """The bank decides: won gives the money back, lost keeps it."""
    dispute = world.get("dispute", id)
    if dispute["status"] in ("won", "lost"):
        raise invalid(f"This dispute is {dispute['status']}.", "id")
    if status == "won":
        with world.change(dispute, "charge.dispute.updated"):
            dispute["balance_transactions"].append(_transaction(world, dispute, 1))
        world.record("charge.dispute.funds_reinstated", dispute)
    dispute["status"] = status
    world.record("charge.dispute.closed", dispute)
    return dispute


def _dispute(world: World, charge: JSON, reason: str, amount: int | None) -> JSON:
    # A dispute always has an amount: of a payment that was refunded, the whole.
    left = charge["amount"] - charge["amount_refunded"] or charge["amount"]
    return {
        "id": world.ids.timed("du", world.now),
        "object": "dispute",
        "amount": left if amount is None else min(amount, left),
        "balance_transactions": [],
        "charge": charge["id"],
        "created": world.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(EVIDENCE) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": world.now + 9 * DAY,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": "needs_response",
    }


def _transaction(world: World, dispute: JSON, sign: int) -> JSON:
    category = "dispute" if sign < 0 else "dispute_reversal"
    amount, fee = sign * dispute["amount"], 1_500 if sign < 0 else 0
    booked = balance_transactions.book(
        world, dispute, amount, "adjustment", category=category, fee=fee
    )
    return dict(booked)
