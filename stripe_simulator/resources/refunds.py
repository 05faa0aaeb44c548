"""Refunds: money that goes back, in whole or in part."""

from typing import Any

from stripe_simulator.errors import invalid
from stripe_simulator.parameters import metadata, optional
from stripe_simulator.resources import balance_transactions, charges
from stripe_simulator.resources.object_update import update_object
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def create(world: World, params: JSON) -> JSON:
    """POST /v1/refunds."""
    charge = charges.paid_by(world, params)
    left = charge["amount"] - charge["amount_refunded"]
    if not charge["paid"] or left <= 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise invalid(message, "charge", "charge_already_refunded")
    amount = optional(params, "amount", left)
    if amount > left:
        raise invalid(f"Refund amount ({amount}) is greater than unrefunded amount.", "amount")
    refund = _refund(world, charge, amount, params)
    with world.change(charge, "charge.refunded"):
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    world.record("refund.created", refund)
    with world.change(refund, "refund.updated"):
        refund["destination_details"]["card"] |= _reference()
    world.record("charge.refund.updated", refund)
    return refund


def update(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/refunds/:id."""
    return update_object(world, "refund", id, params)


def fail(world: World, id: str) -> JSON:
    """The bank sends the money back: the charge counts as less refunded."""
    refund = world.get("refund", id)
    if refund["status"] != "succeeded":
        raise invalid(f"Refund {id} is {refund['status']}.")
    # Stripe need not send an event about the charge.
    charge = world.get("charge", refund["charge"])
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    with world.change(refund, "refund.updated"):
        refund |= {"status": "failed", "failure_reason": "unknown"}
    world.record("refund.failed", refund)
    return refund


def _reference() -> JSON:
    return {"reference": "5555555555555", "reference_status": "available"}


def _refund(world: World, charge: JSON, amount: int, params: JSON) -> JSON:
    card: dict[str, Any] = {
        "reference_status": "pending",
        "reference_type": "acquirer_reference_number",
    }
    card["type"] = "refund"
    refund: JSON = {
        "id": world.ids.timed("re", world.now, "3"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": world.now,
        "currency": charge["currency"],
        "destination_details": {"card": card, "type": "card"},
        "metadata": metadata(params),
        "payment_intent": charge["payment_intent"],
        "reason": optional(params, "reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
    transaction = balance_transactions.book(world, refund, -amount, "refund")
    refund["balance_transaction"] = transaction["id"]
    return world.add(refund)
