"""Charges: one attempt to take money, and the money that went back."""

from stripe_simulator.errors import missing_parameter
from stripe_simulator.resources import balance_transactions
from stripe_simulator.resources.object_update import update_object
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

APPROVED = {
    "advice_code": None,
    "network_advice_code": None,
    "network_decline_code": None,
    "network_status": "approved_by_network",
    "reason": None,
    "risk_level": "normal",
    "risk_score": 21,
    "seller_message": "Payment complete.",
    "type": "authorized",
}

DECLINED = APPROVED | {
    "network_decline_code": "05",
    "network_status": "declined_by_network",
    "reason": "generic_decline",
    "seller_message": "The bank did not return any further details with this decline.",
    "type": "issuer_declined",
}


def build(world: World, intent: JSON, method: JSON, status: str) -> JSON:
    """Keep a charge for a payment intent; the caller records the event."""
    paid = status == "succeeded"
    charge: JSON = {
        "id": world.ids.timed("ch", world.now, "3"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if paid else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": dict(method["billing_details"]),
        "calculated_statement_descriptor": "SIMULATED",
        "captured": paid,
        "created": world.now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": dict(DECLINED if status == "failed" else APPROVED),
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": _details(method, intent["amount"]),
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": intent["shipping"],
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": status,
        "transfer_data": None,
        "transfer_group": None,
    }
    return world.add(charge)


def settle(world: World, charge: JSON) -> None:
    """Give a charge its balance transaction and receipt, as Stripe does a moment later."""
    with world.change(charge, "charge.updated"):
        fee = balance_transactions.charge_fee(charge["amount"])
        transaction = balance_transactions.book(world, charge, charge["amount"], "charge", fee=fee)
        charge["balance_transaction"] = transaction["id"]
        charge["receipt_url"] = f"{world.settings.public_url}/receipts/{charge['id']}"


def finish(world: World, charge: JSON, succeeded: bool) -> None:
    """End a pending charge."""
    charge["status"] = "succeeded" if succeeded else "failed"
    charge["paid"] = charge["captured"] = succeeded
    if succeeded:
        charge["amount_captured"] = charge["amount"]
    else:
        charge["failure_code"] = "generic_decline"
        charge["failure_message"] = "The payment was not authorized."
    world.record(f"charge.{charge['status']}", charge)


def update(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/charges/:id."""
    return update_object(world, "charge", id, params, "description", "receipt_email")


def paid_by(world: World, params: JSON) -> JSON:
    """Return the charge that a `charge` or `payment_intent` parameter names."""
    if params.get("charge"):
        return world.get("charge", params["charge"], "charge")
    if params.get("payment_intent"):
        intent = world.get("payment_intent", params["payment_intent"], "payment_intent")
        return world.get("charge", intent["latest_charge"] or "", "payment_intent")
    raise missing_parameter("payment_intent")


def _details(method: JSON, amount: int) -> JSON:
    if method["type"] != "card":
        copied = ("bank_code", "branch_code", "country", "fingerprint", "last4")
        account = {key: method[method["type"]][key] for key in copied}
        return {method["type"]: account | {"mandate": None}, "type": method["type"]}
    shown = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding")
    card = {key: method["card"][key] for key in (*shown, "last4", "regulated_status")}
    card |= dict.fromkeys(("installments", "mandate", "network_token", "three_d_secure", "wallet"))
    card |= {"amount_authorized": amount, "network": card["brand"]}
    return {"card": card, "type": "card"}
