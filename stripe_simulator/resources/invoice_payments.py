"""Invoice payments: which payment intent pays which invoice."""

from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def link(world: World, invoice: JSON, intent: JSON) -> JSON:
    """Make a payment intent the invoice's default payment."""
    payment: JSON = {
        "id": world.ids.timed("inpay", world.now),
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": intent["amount"],
        "created": world.now,
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    }
    world.facts("invoice_of_intent")[intent["id"]] = invoice["id"]
    world.facts("payments_of_invoice").setdefault(invoice["id"], []).append(payment["id"])
    return world.add(payment)


def mark_paid(world: World, payment: JSON) -> None:
    """Record that the payment went through."""
    payment |= {"status": "paid", "amount_paid": payment["amount_requested"]}
    payment["status_transitions"] = {"canceled_at": None, "paid_at": world.now}
    world.record("invoice_payment.paid", payment)


def mark_canceled(world: World, payment: JSON) -> None:
    """The invoice was voided or paid otherwise; Stripe sends no event."""
    payment["status"] = "canceled"
    payment["status_transitions"] = {"canceled_at": world.now, "paid_at": None}


def of_invoice(world: World, invoice: JSON) -> list[JSON]:
    """The payments of an invoice, oldest first."""
    ids = world.facts("payments_of_invoice").get(invoice["id"], [])
    return [world.get("invoice_payment", id) for id in ids]


def open_of(world: World, invoice: JSON) -> JSON | None:
    """The payment of an invoice that is still open, if there is one."""
    for payment in of_invoice(world, invoice):
        if payment["status"] == "open":
            return payment
    return None


def invoice_of(world: World, intent: JSON) -> JSON | None:
    """The invoice that a payment intent pays, if any."""
    return world.find("invoice", world.facts("invoice_of_intent").get(intent["id"]))
