"""Completes a session after the customer presses Pay on its page."""

from dataclasses import dataclass, field
from typing import Any

from stripe_simulator.errors import card_declined, invalid
from stripe_simulator.resources import (
    billing,
    checkout_sessions,
    customers,
    entitlements,
    invoice_payments,
    invoices,
    line_items,
    payment_intents,
    payment_methods,
    promotion_codes,
    redemptions,
    setup_intents,
    subscriptions,
)
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


@dataclass(frozen=True, slots=True)
class Form:
    """The customer's input on the page."""

    #: Last four digits of the card; a delayed payment (SEPA debit) when `delayed`.
    card: str = "4242"
    delayed: bool = False
    email: str | None = None
    name: str | None = None
    country: str = "US"
    promotion_code: str | None = None
    #: Quantity by line item id, for adjustable quantities.
    quantities: dict[str, int] = field(default_factory=dict)


def complete(world: World, id: str, form: Form | None = None) -> JSON:
    """Complete an open session, or raise Stripe's card_declined and leave it open."""
    form = form or Form()
    session = world.get("checkout.session", id)
    if session["status"] != "open":
        raise invalid(f"This Checkout Session is {session['status']}.", "session")
    _apply_form(world, session, form)
    method = _method(world, form, session)
    what = payment_methods.behaviour(method)
    if what not in ("succeeds", "processing", "declines_later", "requires_action"):
        _decline(world, session, method, what)
    _customer(world, session, method)
    _finish(world, session, method)
    return session


def confirm(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/payment_pages/:id/confirm: the Stripe CLI pays by this undocumented address."""
    method = world.get("payment_method", params.get("payment_method", ""), "payment_method")
    if "card" in method:
        return complete(world, id, Form(card=method["card"]["last4"]))
    return complete(world, id, Form(delayed=True))


def finish_delayed(world: World, id: str, succeeds: bool) -> JSON:
    """End the processing of a session's delayed payment."""
    session = world.get("checkout.session", id)
    if session["status"] != "complete" or session["payment_status"] != "unpaid":
        raise invalid("This Checkout Session has no payment in processing.", "session")
    billing.finish_delayed(world, _intent_of(world, session), succeeds)
    if succeeds:
        session["payment_status"] = "paid"
    outcome = "succeeded" if succeeds else "failed"
    world.record(f"checkout.session.async_payment_{outcome}", session)
    return session


def is_processing(world: World, session: JSON) -> bool:
    """Whether the session's delayed payment has not ended yet."""
    if (session["status"], session["payment_status"]) != ("complete", "unpaid"):
        return False
    return bool(_intent_of(world, session)["status"] == "processing")


def _intent_of(world: World, session: JSON) -> JSON:
    if session["payment_intent"]:
        return world.get("payment_intent", session["payment_intent"])
    payments = invoice_payments.of_invoice(world, world.get("invoice", session["invoice"]))
    return world.get("payment_intent", payments[-1]["payment"]["payment_intent"])


def _apply_form(world: World, session: JSON, form: Form) -> None:
    if form.promotion_code:
        if not session["allow_promotion_codes"]:
            raise invalid("This session takes no promotion codes.", "promotion_code")
        code = promotion_codes.by_code(world, form.promotion_code)
        items = line_items.of_session(world, session["id"])
        purchase = line_items.purchase_of(world, session["customer"], items)
        redemptions.check(world, {"promotion_code": code["id"]}, purchase)
        session["discounts"] = [{"coupon": None, "promotion_code": code["id"]}]
    for item in line_items.of_session(world, session["id"]):
        if item["id"] in form.quantities:
            line_items.set_quantity(item, form.quantities[item["id"]])
    checkout_sessions.total_up(world, session)
    known = world.find("customer", session["customer"]) or {}
    email = known.get("email") or session["customer_email"] or form.email or "buyer@example.com"
    nothing = ("business_name", "individual_name", "phone")
    session["customer_details"] = dict.fromkeys(nothing) | {
        "address": dict.fromkeys(("city", "line1", "line2", "postal_code", "state"))
        | {"country": form.country},
        "email": email,
        "name": form.name or known.get("name") or "Jenny Rosen",
        "tax_exempt": "none",
        "tax_ids": [],
    }


def _method(world: World, form: Form, session: JSON) -> JSON:
    if form.delayed:
        iban = {"type": "sepa_debit", "sepa_debit": {"iban": "DE89370400440532013000"}}
        method = payment_methods.create(world, iban)
    else:
        method = payment_methods.card(world, form.card)
    details = session["customer_details"]
    method["billing_details"] |= {"email": details["email"], "name": details["name"]}
    return method


def _decline(world: World, session: JSON, method: JSON, code: str) -> None:
    if session["mode"] != "setup" and session["amount_total"]:
        intent = world.find("payment_intent", world.facts("declined").get(session["id"]))
        if intent is None:
            intent = _new_intent(world, session)
            world.facts("declined")[session["id"]] = intent["id"]
        payment_intents.fail(world, intent, method, code)
    raise card_declined(code)


def _customer(world: World, session: JSON, method: JSON) -> None:
    """Make or update the customer and attach the payment method where it is kept."""
    details = session["customer_details"]
    saved = session["mode"] == "subscription" or _future_usage(world, session)
    if session["customer"] is None:
        if session["customer_creation"] == "always" or saved:
            params = {"email": details["email"], "name": details["name"]}
            session["customer"] = customers.create(world, params)["id"]
    else:
        _update_customer(world, session)
    if session["customer"] and saved:
        payment_methods.attach(world, method["id"], {"customer": session["customer"]})


def _update_customer(world: World, session: JSON) -> None:
    customer = world.get("customer", session["customer"])
    wanted = world.facts("checkout")[session["id"]].get("customer_update") or {}
    details = session["customer_details"]
    params: JSON = {}
    for name in ("name", "address"):
        if wanted.get(name) == "auto":
            params[name] = details[name]
    if not customer["email"]:
        params["email"] = details["email"]
    customers.update(world, customer["id"], params)


def _future_usage(world: World, session: JSON) -> str | None:
    given = world.facts("checkout")[session["id"]].get("payment_intent_data") or {}
    usage: str | None = given.get("setup_future_usage")
    return usage


def _finish(world: World, session: JSON, method: JSON) -> None:
    finish = {"payment": _pay_once, "subscription": _subscribe, "setup": _set_up}[session["mode"]]
    paid = finish(world, session, method)
    session |= {"status": "complete", "url": None, "client_secret": None}
    if session["mode"] == "setup" or not session["amount_total"]:
        session["payment_status"] = "no_payment_required"
    else:
        session["payment_status"] = "paid" if paid else "unpaid"
    world.record("checkout.session.completed", session)


def _pay_once(world: World, session: JSON, method: JSON) -> bool:
    if session["invoice_creation"]["enabled"] and session["customer"]:
        return _pay_invoice(world, session, method)
    line_items.session_discounts(world, session)
    if not session["amount_total"]:
        return True
    found = world.find("payment_intent", world.facts("declined").get(session["id"]))
    intent = found or _new_intent(world, session)
    intent["customer"] = session["customer"]
    session["payment_intent"] = intent["id"]
    return payment_intents.attempt(world, intent, method, present=True) == "succeeded"


def _pay_invoice(world: World, session: JSON, method: JSON) -> bool:
    customer = world.get("customer", session["customer"])
    items = line_items.of_session(world, session["id"])
    lines = [line_items.invoice_line(world, item, session) for item in items]
    off = line_items.session_discounts(world, session)
    fields: JSON = {"currency": session["currency"], "discounts": off}
    fields["metadata"] = session["invoice_creation"]["invoice_data"]["metadata"]
    invoice = invoices.keep(world, invoices.build(world, customer, lines, **fields))
    invoices.finalize(world, invoice)
    status = billing.pay(world, invoice, method, present=True)
    session["invoice"] = invoice["id"]
    if invoice["amount_due"]:
        session["payment_intent"] = _intent_of(world, session)["id"]
    return status == "succeeded"


def _subscribe(world: World, session: JSON, method: JSON) -> bool:
    """Since basil the subscription is created only now; its first event shows it active."""
    customer = world.get("customer", session["customer"])
    params = _subscription_params(world, session)
    sub = subscriptions.build(world, customer, params, status="active")
    sub["default_payment_method"] = method["id"]
    sub["payment_settings"]["save_default_payment_method"] = "on_subscription"
    invoice = subscriptions.begin(world, sub, params)
    _add_one_time_lines(world, session, invoice)
    invoices.keep(world, invoice)
    invoices.finalize(world, invoice)
    status = billing.pay(world, invoice, method, present=True)
    world.record("customer.subscription.created", sub)
    entitlements.refresh(world, customer["id"])
    session |= {"subscription": sub["id"], "invoice": invoice["id"]}
    return status == "succeeded"


def _add_one_time_lines(world: World, session: JSON, invoice: JSON) -> None:
    for item in line_items.of_session(world, session["id"]):
        if item["price"]["type"] == "one_time":
            line = line_items.invoice_line(world, item, session)
            invoice["lines"]["data"].append(line | {"invoice": invoice["id"]})
    invoices.total_up(world, invoice)


def _subscription_params(world: World, session: JSON) -> JSON:
    data: JSON = dict(world.facts("checkout")[session["id"]].get("subscription_data") or {})
    items = line_items.of_session(world, session["id"])
    data["items"] = [
        {"price": item["price"]["id"]}
        | ({"quantity": item["quantity"]} if item["quantity"] is not None else {})
        for item in items
        if item["price"]["type"] == "recurring"
    ]
    data["discounts"] = list(session["discounts"] or [])
    data["automatic_tax"] = {"enabled": session["automatic_tax"]["enabled"]}
    return data


def _set_up(world: World, session: JSON, method: JSON) -> bool:
    given = world.facts("checkout")[session["id"]].get("setup_intent_data") or {}
    params = {"customer": session["customer"], "metadata": given.get("metadata") or {}}
    intent = setup_intents.create(world, params)
    setup_intents.confirm(world, intent["id"], {"payment_method": method["id"]})
    session["setup_intent"] = intent["id"]
    return True


def _new_intent(world: World, session: JSON) -> JSON:
    given = world.facts("checkout")[session["id"]].get("payment_intent_data") or {}
    params: dict[str, Any] = {
        "amount": session["amount_total"],
        "currency": session["currency"],
        "customer": session["customer"],
    }
    for name in ("metadata", "description", "receipt_email", "setup_future_usage"):
        if name in given:
            params[name] = given[name]
    return payment_intents.create(world, params)
