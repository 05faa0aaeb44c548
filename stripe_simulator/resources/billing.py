"""Payment of invoices, and what its outcome does to the subscription."""

from stripe_simulator.agenda import on_due
from stripe_simulator.errors import card_declined, invalid
from stripe_simulator.resources import (
    invoice_payments,
    invoices,
    payment_intents,
    payment_methods,
    pending_updates,
    resumptions,
    subscription_states,
)
from stripe_simulator.settings import DAY
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def method_for(world: World, customer: JSON, sub: JSON | None = None) -> JSON | None:
    """The payment method that an automatic charge uses."""
    id = (sub or {}).get("default_payment_method")
    id = id or customer["invoice_settings"]["default_payment_method"]
    return world.find("payment_method", id)


def subscription_of(world: World, invoice: JSON) -> JSON | None:
    """The subscription that an invoice belongs to, if any."""
    return world.find("subscription", invoices.subscription_id(invoice))


def open_payment(world: World, invoice: JSON) -> JSON:
    """Return the invoice's open payment intent; makes one when there is none."""
    payment = invoice_payments.open_of(world, invoice)
    if payment is not None:
        return world.get("payment_intent", payment["payment"]["payment_intent"])
    description = (
        "Subscription creation" if subscription_of(world, invoice) else "Payment for invoice"
    )
    intent = payment_intents.create(
        world,
        {
            "amount": invoice["amount_due"],
            "currency": invoice["currency"],
            "customer": invoice["customer"],
            "description": description,
            "setup_future_usage": "off_session",
        },
    )
    invoice_payments.link(world, invoice, intent)
    return intent


def pay(world: World, invoice: JSON, method: JSON | None, present: bool = False) -> str:
    """Try to pay an open invoice; return succeeded, processing or the reason for the failure."""
    if invoice["amount_due"] == 0:
        return _settled(world, invoice)
    intent = open_payment(world, invoice)
    if method is None:
        return _unpaid(world, invoice, "requires_payment_method")
    return attempted(world, intent, payment_intents.attempt(world, intent, method, present))


def attempted(world: World, intent: JSON, status: str) -> str:
    """Carry the outcome of a payment intent over to the invoice it pays, if it pays one."""
    invoice = invoice_payments.invoice_of(world, intent)
    if invoice is None or invoice["status"] not in ("open", "uncollectible"):
        return status
    if status == "succeeded":
        return _settled(world, invoice)
    if status == "processing":
        sub = subscription_of(world, invoice)
        if sub is not None:
            subscription_states.paid(world, sub)
        return status
    return _unpaid(world, invoice, status)


def confirm(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/payment_intents/:id/confirm; a decline is Stripe's 402."""
    intent = world.get("payment_intent", id)
    method_id = params.get("payment_method") or intent["payment_method"]
    if not method_id:
        raise invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
        )
    method = payment_methods.resolve(world, method_id)
    status = attempted(world, intent, payment_intents.attempt(world, intent, method))
    if status == "requires_payment_method":
        code = intent["last_payment_error"]["decline_code"]
        raise card_declined(code, payment_intent=dict(intent))
    if intent["setup_future_usage"] and intent["customer"]:
        payment_methods.attach(world, method["id"], {"customer": intent["customer"]})
    return intent


def create_intent(world: World, params: JSON) -> JSON:
    """POST /v1/payment_intents, with `confirm`."""
    intent = payment_intents.create(world, params)
    return confirm(world, intent["id"], params) if params.get("confirm") else intent


def authenticate(world: World, id: str, succeeds: bool = True) -> JSON:
    """The customer passed or failed the bank's check."""
    intent = world.get("payment_intent", id)
    if intent["status"] != "requires_action":
        raise payment_intents.unexpected_state(intent)
    method = world.get("payment_method", intent["payment_method"])
    if succeeds:
        status = payment_intents.attempt(world, intent, method, present=True)
    else:
        status = payment_intents.fail(world, intent, method, "authentication_required")
    attempted(world, intent, status)
    return intent


def finish_delayed(world: World, intent: JSON, succeeds: bool) -> None:
    """A delayed payment method (SEPA debit) succeeded or failed."""
    payment_intents.finish(world, intent, succeeds)
    attempted(world, intent, str(intent["status"]))


def pay_by_api(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/invoices/:id/pay."""
    invoice = world.get("invoice", id)
    if invoice["status"] == "draft":
        invoices.finalize(world, invoice)
    if invoice["status"] not in ("open", "uncollectible"):
        raise invalid(f"Invoice is already {invoice['status']}.", code="invoice_not_open")
    if params.get("paid_out_of_band"):
        _settled(world, invoice, out_of_band=True)
        return invoice
    status = pay(world, invoice, _chosen(world, invoice, params))
    if status not in ("succeeded", "processing"):
        raise card_declined("generic_decline" if status != "requires_action" else status)
    return invoice


def mark_uncollectible(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/invoices/:id/mark_uncollectible: the subscription is as if it had been paid."""
    invoice = invoices.mark_uncollectible(world, world.get("invoice", id))
    sub = subscription_of(world, invoice)
    is_owed = sub is not None and sub["status"] in ("past_due", "unpaid")
    if sub is not None and is_owed and sub["latest_invoice"] == id:
        subscription_states.paid(world, sub)
    return invoice


def finalize_by_api(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/invoices/:id/finalize; a charge follows when the invoice advances itself."""
    invoice = invoices.finalize(world, world.get("invoice", id))
    if invoice["collection_method"] == "charge_automatically":
        if params.get("auto_advance", invoice["auto_advance"]):
            world.clock.at(world.now, "collect_invoice", id)
        if invoice["amount_due"]:
            open_payment(world, invoice)
        else:
            _settled(world, invoice)
    return invoice


@on_due("finalize_invoice")
def finalize_draft(world: World, id: str) -> None:
    """An hour is over: the draft becomes final and is charged or sent."""
    invoice = world.find("invoice", id)
    if invoice is None or invoice["status"] != "draft" or not invoice["auto_advance"]:
        return
    if world.find("customer", invoice["customer"]) is None:
        return
    invoices.finalize(world, invoice)
    collect(world, id)


@on_due("collect_invoice")
def collect(world: World, id: str) -> None:
    """Charge an open invoice, or send it."""
    invoice = world.find("invoice", id)
    if invoice is None or invoice["status"] != "open":
        return
    if invoice["collection_method"] == "send_invoice":
        world.record("invoice.sent", invoice)
        return
    customer = world.find("customer", invoice["customer"])
    if customer is not None:
        pay(world, invoice, method_for(world, customer, subscription_of(world, invoice)))


@on_due("invoice_overdue")
def overdue(world: World, id: str) -> None:
    """A sent invoice was not paid by its due date; its subscription becomes past due."""
    invoice = world.find("invoice", id)
    if invoice is None or invoice["status"] != "open" or not invoice["amount_remaining"]:
        return
    world.record("invoice.overdue", invoice)
    sub = subscription_of(world, invoice)
    if sub is not None and subscription_states.is_live(sub):
        subscription_states.failed(world, sub)


@on_due("retry_invoice")
def retry(world: World, id: str) -> None:
    """The next attempt of the retry schedule."""
    invoice = world.find("invoice", id)
    if invoice is None or invoice["status"] != "open" or not invoice["next_payment_attempt"]:
        return
    if not invoice["auto_advance"]:
        return
    sub = subscription_of(world, invoice)
    if sub is None or subscription_states.is_live(sub):
        collect(world, id)


def _settled(world: World, invoice: JSON, out_of_band: bool = False) -> str:
    invoices.mark_paid(world, invoice, out_of_band)
    sub = subscription_of(world, invoice)
    if sub is not None:
        if pending_updates.waits_for(world, sub, invoice):
            pending_updates.apply(world, sub)
        if resumptions.waits_for(world, sub, invoice):
            resumptions.apply(world, sub)
        if sub["latest_invoice"] in (None, invoice["id"]):
            subscription_states.paid(world, sub)
    return "succeeded"


def _unpaid(world: World, invoice: JSON, status: str) -> str:
    """Note the failure; a subscription that had begun is past due, and there are retries."""
    sub = subscription_of(world, invoice)
    waits = sub is not None and (sub["status"] in ("incomplete", "paused") or sub["pending_update"])
    begun = sub is not None and not waits
    next_attempt = _next_attempt(world, invoice) if begun else None
    invoices.mark_failed(world, invoice, next_attempt, status == "requires_action")
    if next_attempt is not None:
        world.clock.at(next_attempt, "retry_invoice", invoice["id"])
    if sub is not None and begun:
        subscription_states.failed(world, sub)
        if next_attempt is None and sub["status"] == "past_due":
            _give_up(world, sub)
    return status


def _next_attempt(world: World, invoice: JSON) -> int | None:
    days = world.settings.retry_days
    done = int(invoice["attempt_count"])
    return world.now + days[done] * DAY if done < len(days) else None


def _give_up(world: World, sub: JSON) -> None:
    if world.settings.after_retries == "cancel":
        subscription_states.end(world, sub, "payment_failed")
    elif world.settings.after_retries == "unpaid":
        subscription_states.move(world, sub, status="unpaid")


def _chosen(world: World, invoice: JSON, params: JSON) -> JSON | None:
    if params.get("payment_method"):
        return payment_methods.resolve(world, params["payment_method"])
    customer = world.get("customer", invoice["customer"])
    method = method_for(world, customer, subscription_of(world, invoice))
    if method is None and invoice["amount_due"]:
        raise invalid(
            "This customer has no attached payment source or default payment method.",
            code="resource_missing",
        )
    return method
