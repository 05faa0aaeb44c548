"""Random histories of an account, for property tests and fault tests.

    world = World(seed=1)
    play(world, random.Random(1), steps=30)      # world.events is the history

`transitions` lists the possible next steps; a Hypothesis state machine can choose among its names.
Any object with `random()`, `choice()` and `randint()` will do for the random choices.
"""

import random as standard
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from stripe_simulator.errors import StripeError
from stripe_simulator.http import actions, routes
from stripe_simulator.resources import checkout_completion, portal_sessions
from stripe_simulator.settings import DAY
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

Random = standard.Random
Move = Callable[[World, Random, JSON], object]
Fits = Callable[[JSON], bool]

#: Every move by name: the kind of object it acts on, which of them, and what it does.
MOVES: dict[str, tuple[str | None, Fits, Move]] = {}

#: How far the clock may go between two moves; mostly nowhere, so that events share seconds.
PACES = (0, 0, 0, 0, 0, 1, 60, 3_700, DAY, 3 * DAY, 31 * DAY)

#: Moves act on the newest few objects, so that a short history has long stories.
NEWEST = 6


def transitions(world: World, random: Random) -> dict[str, Callable[[], object]]:
    """Return what may happen now: a callable by name, each on an object chosen at random."""
    bound = {name: bind(world, random, name) for name in MOVES}
    return {name: move for name, move in bound.items() if move is not None}


def bind(world: World, random: Random, name: str) -> Callable[[], object] | None:
    """Return a move on an object chosen at random; None when there is no object for it."""
    kind, fits, move = MOVES[name]
    if kind is None:
        return partial(move, world, random, {})
    candidates = [obj for obj in newest(world, kind) if fits(obj)]
    return partial(move, world, random, random.choice(candidates)) if candidates else None


def newest(world: World, kind: str) -> list[JSON]:
    """The newest few objects of a kind."""
    return list(world.all(kind).values())[: -NEWEST - 1 : -1]


def step(world: World, random: Random) -> str:
    """Perform one step and return its name; a step that Stripe refuses changes nothing more."""
    names = sorted(MOVES)
    for _ in range(1_000):
        name = random.choice(names)
        move = bind(world, random, name)
        if move is not None:
            with suppress(StripeError):
                move()
            return name
    raise RuntimeError("nothing is possible; play the opening first")


def play(world: World, random: Random, steps: int, whole: bool = False) -> list[str]:
    """Play a history; a whole one touches every kind of object first. Returns the moves."""
    opening(world, random)
    names = [name for name in MOVES if whole]
    for name in names:
        move = bind(world, random, name)
        if move is not None:
            with suppress(StripeError):
                move()
    for _ in range(steps):
        world.clock.advance(random.choice(PACES))
        names.append(step(world, random))
    return names


def opening(world: World, random: Random) -> None:
    """A catalogue with features and a customer, so that every move is possible soon."""
    if not world.all("product"):
        add_product(world, random, {})
    if not world.all("customer"):
        add_customer(world, random, {})


def call(world: World, method: str, path: str, params: JSON | None = None) -> JSON:
    """Call an address of the API in this process."""
    return routes.find(method, path)(world, params or {})


def on(kind: str | None = None, fits: Fits = lambda obj: True) -> Callable[[Move], Move]:
    """Enter a move on objects of a kind."""

    def enter(move: Move) -> Move:
        MOVES[move.__name__] = (kind, fits, move)
        return move

    return enter


def has(name: str, *values: Any) -> Fits:
    """Objects with one of the values in a field."""
    return lambda obj: obj[name] in values


def live(sub: JSON) -> bool:
    """Subscriptions that may still change."""
    return sub["status"] not in ("canceled", "incomplete_expired")


def a_customer(world: World, random: Random) -> JSON:
    """One of the newest customers; a new one when there is none."""
    if world.all("customer"):
        return random.choice(newest(world, "customer"))
    add_customer(world, random, {})
    return list(world.all("customer").values())[-1]


def a_price(world: World, random: Random, type: str = "recurring") -> str:
    """An active price of a type; licensed."""
    found = [
        price["id"]
        for price in world.all("price").values()
        if price["active"]
        and price["type"] == type
        and (price["recurring"] or {}).get("usage_type") != "metered"
    ]
    return str(random.choice(found or [_new_price(world, random, type)]))


def _new_price(world: World, random: Random, type: str) -> str:
    product = list(world.all("product").values())[-1]["id"]
    params: JSON = {"product": product, "currency": "usd", "unit_amount": random.randint(1, 9_999)}
    if type == "recurring":
        params["recurring"] = {"interval": random.choice(("week", "month", "year"))}
    return str(call(world, "POST", "/v1/prices", params)["id"])


@on()
def add_product(world: World, random: Random, _: JSON) -> None:
    """A product with a recurring and a one-time price and, often, a feature."""
    count = len(world.all("product"))
    product = call(world, "POST", "/v1/products", {"name": f"Product {count}"})
    _new_price(world, random, "recurring")
    _new_price(world, random, "one_time")
    if random.random() < 0.7:
        params = {"name": f"Feature {count}", "lookup_key": f"feature_{count}"}
        feature = call(world, "POST", "/v1/entitlements/features", params)
        path = f"/v1/products/{product['id']}/features"
        call(world, "POST", path, {"entitlement_feature": feature["id"]})


@on("product")
def update_product(world: World, random: Random, product: JSON) -> None:
    """A new name, or a key of metadata more or less."""
    key = random.choice(("a", "b"))
    params: JSON = {"metadata": {key: random.choice(("", "1", "2"))}}
    if random.random() < 0.5:
        params["name"] = f"Renamed {random.randint(0, 9)}"
    call(world, "POST", f"/v1/products/{product['id']}", params)


@on("price")
def update_price(world: World, random: Random, price: JSON) -> None:
    """On sale or not."""
    params = {"active": random.random() < 0.7, "nickname": random.choice(("", "one", "two"))}
    call(world, "POST", f"/v1/prices/{price['id']}", params)


@on("product_feature")
def remove_feature(world: World, random: Random, product_feature: JSON) -> None:
    """A product loses a feature; rare, because features would run out."""
    for product, ids in world.facts("features_of_product").items():
        if product_feature["id"] in ids and random.random() < 0.3:
            call(world, "DELETE", f"/v1/products/{product}/features/{product_feature['id']}")
            return


@on()
def add_customer(world: World, random: Random, _: JSON) -> None:
    """A customer, mostly with a card for everything."""
    number = len(world.all("customer"))
    params = {"email": f"user{number}@example.com", "metadata": {"user": str(number)}}
    customer = call(world, "POST", "/v1/customers", params)
    if random.random() < 0.8:
        give_card(world, random, customer)


@on("customer")
def give_card(world: World, random: Random, customer: JSON) -> None:
    """A new default card: mostly good, sometimes one that declines or asks."""
    tokens = ("visa", "visa", "mastercard", "chargeCustomerFail", "authenticationRequired")
    path = f"/v1/payment_methods/pm_card_{random.choice(tokens)}/attach"
    method = call(world, "POST", path, {"customer": customer["id"]})
    settings = {"invoice_settings": {"default_payment_method": method["id"]}}
    call(world, "POST", f"/v1/customers/{customer['id']}", settings)


@on("customer")
def update_customer(world: World, random: Random, customer: JSON) -> None:
    """Name, address and metadata change."""
    key, value = random.choice(("a", "b")), random.choice(("", "1", "2"))
    params: JSON = {"metadata": {key: value}, "name": f"Name {random.randint(0, 9)}"}
    if random.random() < 0.3:
        params["address"] = random.choice(("", {"country": "DE", "city": "Kiel"}))
    call(world, "POST", f"/v1/customers/{customer['id']}", params)


@on("customer")
def delete_customer(world: World, random: Random, customer: JSON) -> None:
    """A customer goes, rarely."""
    if random.random() < 0.15:
        call(world, "DELETE", f"/v1/customers/{customer['id']}")


@on("customer")
def add_tax_id(world: World, random: Random, customer: JSON) -> None:
    """A VAT number, verified or not."""
    params = {"type": "eu_vat", "value": f"DE{random.randint(0, 999_999_999):09d}"}
    tax_id = call(world, "POST", f"/v1/customers/{customer['id']}/tax_ids", params)
    actions.verify_tax_id(
        world, tax_id["id"], {"status": random.choice(("verified", "unverified"))}
    )


@on("tax_id")
def delete_tax_id(world: World, random: Random, tax_id: JSON) -> None:
    """A VAT number goes."""
    call(world, "DELETE", f"/v1/customers/{tax_id['customer']}/tax_ids/{tax_id['id']}")


@on("payment_method", lambda method: method["customer"] is not None)
def detach_card(world: World, random: Random, method: JSON) -> None:
    """A card goes, rarely."""
    if random.random() < 0.3:
        call(world, "POST", f"/v1/payment_methods/{method['id']}/detach")


@on("payment_method", lambda method: method["customer"] is not None)
def update_card(world: World, random: Random, method: JSON) -> None:
    """The bank moves a card's end."""
    params = {"card": {"exp_year": 2030 + random.randint(0, 9)}}
    call(world, "POST", f"/v1/payment_methods/{method['id']}", params)


@on()
def add_coupon(world: World, random: Random, _: JSON) -> None:
    """A coupon with a promotion code."""
    params: JSON = {"duration": random.choice(("once", "forever")), "percent_off": 10}
    coupon = call(world, "POST", "/v1/coupons", params)
    promotion = {"type": "coupon", "coupon": coupon["id"]}
    most = {"promotion": promotion, "max_redemptions": random.randint(1, 3)}
    call(world, "POST", "/v1/promotion_codes", most)


@on("coupon")
def change_coupon(world: World, random: Random, coupon: JSON) -> None:
    """A coupon is renamed or, rarely, deleted."""
    path = f"/v1/coupons/{coupon['id']}"
    if random.random() < 0.2:
        call(world, "DELETE", path)
    else:
        call(world, "POST", path, {"name": f"Coupon {random.randint(0, 9)}"})


@on("promotion_code")
def switch_promotion_code(world: World, random: Random, code: JSON) -> None:
    """A promotion code goes on or off."""
    call(world, "POST", f"/v1/promotion_codes/{code['id']}", {"active": random.random() < 0.5})


@on()
def add_tax_rate(world: World, random: Random, _: JSON) -> None:
    """A tax rate, then renamed."""
    params = {"display_name": "VAT", "inclusive": False, "percentage": 19.0}
    rate = call(world, "POST", "/v1/tax_rates", params)
    path = f"/v1/tax_rates/{rate['id']}"
    call(world, "POST", path, {"display_name": f"VAT {random.randint(0, 9)}"})


def _checkout(world: World, random: Random, mode: str, params: JSON) -> JSON:
    base: JSON = {"mode": mode, "success_url": "https://shop.test/?id={CHECKOUT_SESSION_ID}"}
    if random.random() < 0.7 or mode == "setup":
        base["customer"] = a_customer(world, random)["id"]
    return call(world, "POST", "/v1/checkout/sessions", base | params)


@on()
def buy_subscription(world: World, random: Random, _: JSON) -> None:
    """Checkout of a subscription, sometimes with a trial or a delayed payment."""
    items = [{"price": a_price(world, random), "quantity": random.randint(1, 3)}]
    data: JSON = {"metadata": {"user": str(random.randint(0, 9))}}
    if random.random() < 0.3:
        data["trial_period_days"] = random.choice((2, 7))
    params = {"line_items": items, "subscription_data": data}
    session = _checkout(world, random, "subscription", params)
    checkout_completion.complete(world, session["id"], _form(random))


@on()
def buy_once(world: World, random: Random, _: JSON) -> None:
    """Checkout of a one-time price, sometimes with an invoice."""
    items = [{"price": a_price(world, random, "one_time"), "quantity": 1}]
    params = {"line_items": items, "invoice_creation": {"enabled": random.random() < 0.4}}
    session = _checkout(world, random, "payment", params)
    checkout_completion.complete(world, session["id"], _form(random))


@on()
def leave_checkout(world: World, random: Random, _: JSON) -> None:
    """An unpaid session expires."""
    items = [{"price": a_price(world, random, "one_time"), "quantity": 1}]
    _checkout(world, random, "payment", {"line_items": items})


@on()
def save_card(world: World, random: Random, _: JSON) -> None:
    """Checkout in setup mode."""
    session = _checkout(world, random, "setup", {"currency": "usd"})
    checkout_completion.complete(world, session["id"], _form(random))


def _form(random: Random) -> checkout_completion.Form:
    card = random.choice(("4242", "4242", "4444", "0002", "0341"))
    return checkout_completion.Form(card=card, delayed=random.random() < 0.15)


@on("checkout.session", has("status", "open"))
def complete_checkout(world: World, random: Random, session: JSON) -> None:
    """A session that was left is paid after all."""
    checkout_completion.complete(world, session["id"], _form(random))


@on("checkout.session", has("status", "open"))
def expire_checkout(world: World, random: Random, session: JSON) -> None:
    """The seller ends a session."""
    call(world, "POST", f"/v1/checkout/sessions/{session['id']}/expire")


@on("checkout.session", lambda s: s["status"] == "complete" and s["payment_status"] == "unpaid")
def finish_delayed(world: World, random: Random, session: JSON) -> None:
    """A bank debit ends."""
    checkout_completion.finish_delayed(world, session["id"], random.random() < 0.6)


@on("customer")
def subscribe(world: World, random: Random, customer: JSON) -> None:
    """A subscription by API, in one of its many ways to begin."""
    items = [{"price": a_price(world, random), "quantity": random.randint(1, 3)}]
    params: JSON = {"customer": customer["id"], "items": items}
    params |= random.choice(
        (
            {},
            {"payment_behavior": "default_incomplete"},
            {"trial_period_days": 5},
            {"trial_period_days": 5, "trial_settings": _pause_after_trial()},
            {"collection_method": "send_invoice", "days_until_due": 7},
            {"cancel_at_period_end": True},
        )
    )
    call(world, "POST", "/v1/subscriptions", params)


def _pause_after_trial() -> JSON:
    return {"end_behavior": {"missing_payment_method": "pause"}}


@on("subscription", live)
def change_plan(world: World, random: Random, sub: JSON) -> None:
    """Another price or quantity, with one of the ways to pay for it."""
    item: JSON = {"id": sub["items"]["data"][0]["id"], "quantity": random.randint(1, 5)}
    if random.random() < 0.6:
        item["price"] = a_price(world, random)
    behavior = random.choice(("create_prorations", "always_invoice", "none"))
    params: JSON = {"items": [item]}
    if random.random() < 0.3:
        params |= {"payment_behavior": "pending_if_incomplete"}
        behavior = "always_invoice"
    params["proration_behavior"] = behavior
    call(world, "POST", f"/v1/subscriptions/{sub['id']}", params)


@on("subscription", live)
def add_item(world: World, random: Random, sub: JSON) -> None:
    """One price more."""
    params = {"items": [{"price": a_price(world, random)}]}
    call(world, "POST", f"/v1/subscriptions/{sub['id']}", params)


@on("subscription", live)
def touch_subscription(world: World, random: Random, sub: JSON) -> None:
    """Metadata, description, pause, discount or end change."""
    coupons = [{"coupon": id} for id, c in world.all("coupon").items() if c["valid"]][:1]
    params = random.choice(
        (
            {"metadata": {"a": random.choice(("", "1", "2"))}},
            {"description": random.choice(("", "one", "two"))},
            {"pause_collection": random.choice(("", {"behavior": "void"}))},
            {"cancel_at_period_end": random.random() < 0.5},
            {"cancel_at": random.choice(("", world.now + 5 * DAY))},
            {"discounts": coupons},
        )
    )
    call(world, "POST", f"/v1/subscriptions/{sub['id']}", params)


@on("subscription", has("status", "trialing"))
def end_trial(world: World, random: Random, sub: JSON) -> None:
    """The trial ends now."""
    call(world, "POST", f"/v1/subscriptions/{sub['id']}", {"trial_end": "now"})


@on("subscription", has("status", "paused"))
def resume(world: World, random: Random, sub: JSON) -> None:
    """A paused subscription goes on."""
    call(world, "POST", f"/v1/subscriptions/{sub['id']}/resume")


@on("subscription", live)
def cancel(world: World, random: Random, sub: JSON) -> None:
    """A subscription ends now, rarely."""
    if random.random() < 0.3:
        call(world, "DELETE", f"/v1/subscriptions/{sub['id']}")


@on("subscription", has("status", "active"))
def renew(world: World, random: Random, sub: JSON) -> None:
    """The next period is billed."""
    actions.renew(world, sub["id"], {})


@on("subscription", has("status", "active"))
def fail_renewal(world: World, random: Random, sub: JSON) -> None:
    """The next payment fails, rarely."""
    if random.random() < 0.4:
        actions.past_due(world, sub["id"], {})


@on("subscription", live)
def schedule(world: World, random: Random, sub: JSON) -> None:
    """A schedule takes a subscription over."""
    call(world, "POST", "/v1/subscription_schedules", {"from_subscription": sub["id"]})


@on("subscription_schedule", has("status", "active"))
def add_phase(world: World, random: Random, schedule: JSON) -> None:
    """A second phase on another price."""
    first = schedule["phases"][0]
    items = [{"price": i["price"], "quantity": i["quantity"]} for i in first["items"]]
    phases = [
        {"items": items, "start_date": first["start_date"], "end_date": first["end_date"]},
        {"items": [{"price": a_price(world, random)}], "iterations": 1},
    ]
    params = {"phases": phases, "end_behavior": random.choice(("release", "cancel"))}
    call(world, "POST", f"/v1/subscription_schedules/{schedule['id']}", params)


@on("subscription_schedule", has("status", "active"))
def end_schedule(world: World, random: Random, schedule: JSON) -> None:
    """A schedule is released or canceled."""
    verb = random.choice(("release", "release", "cancel"))
    call(world, "POST", f"/v1/subscription_schedules/{schedule['id']}/{verb}")


@on("customer")
def open_portal(world: World, random: Random, customer: JSON) -> None:
    """A customer visits the portal and cancels or comes back."""
    params = {"customer": customer["id"], "return_url": "https://shop.test/"}
    session = call(world, "POST", "/v1/billing_portal/sessions", params)
    subs = [s for s in world.all("subscription").values() if s["customer"] == customer["id"]]
    changing = [s for s in subs if live(s)]
    if changing:
        sub = random.choice(changing)
        ending = sub["cancel_at"] is not None
        press = (
            portal_sessions.renew_subscription if ending else portal_sessions.cancel_subscription
        )
        press(world, session, sub["id"])


@on("customer")
def invoice_by_hand(world: World, random: Random, customer: JSON) -> None:
    """An invoice item and an invoice of it, finalized."""
    item = {"customer": customer["id"], "amount": random.randint(1, 9_999), "currency": "usd"}
    call(world, "POST", "/v1/invoiceitems", item)
    params = {"customer": customer["id"], "pending_invoice_items_behavior": "include"}
    invoice = call(world, "POST", "/v1/invoices", params)
    call(world, "POST", f"/v1/invoices/{invoice['id']}/finalize")


@on("customer")
def add_invoice_item(world: World, random: Random, customer: JSON) -> None:
    """An amount that waits for the next invoice."""
    item = {"customer": customer["id"], "amount": random.randint(1, 9_999), "currency": "usd"}
    call(world, "POST", "/v1/invoiceitems", item)


@on("invoiceitem", has("invoice", None))
def delete_invoice_item(world: World, random: Random, item: JSON) -> None:
    """A waiting amount goes."""
    call(world, "DELETE", f"/v1/invoiceitems/{item['id']}")


@on("invoice", has("status", "open"))
def close_invoice(world: World, random: Random, invoice: JSON) -> None:
    """An open invoice is paid, voided or given up."""
    verb = random.choice(("pay", "pay", "void", "mark_uncollectible"))
    params = {"payment_method": "pm_card_visa"} if verb == "pay" else {}
    call(world, "POST", f"/v1/invoices/{invoice['id']}/{verb}", params)


@on("invoice", has("status", "open", "paid"))
def credit(world: World, random: Random, invoice: JSON) -> None:
    """A credit note over part of an invoice."""
    amount = random.randint(1, max(1, invoice["total"]))
    call(world, "POST", "/v1/credit_notes", {"invoice": invoice["id"], "amount": amount})


@on("credit_note", has("status", "issued"))
def void_credit(world: World, random: Random, note: JSON) -> None:
    """A credit note is taken back."""
    call(world, "POST", f"/v1/credit_notes/{note['id']}/void")


@on("customer")
def pay_by_api(world: World, random: Random, customer: JSON) -> None:
    """A payment intent with one of the test cards."""
    cards = ("visa", "visa", "chargeDeclined", "authenticationRequired")
    method = f"pm_card_{random.choice(cards)}"
    params = {"amount": random.randint(50, 9_999), "currency": "usd", "customer": customer["id"]}
    params |= {"payment_method": method, "confirm": True}
    call(world, "POST", "/v1/payment_intents", params)


@on("payment_intent", has("status", "requires_action"))
def authenticate(world: World, random: Random, intent: JSON) -> None:
    """The customer answers the bank."""
    outcome = random.choice(("succeeded", "failed"))
    actions.authenticate(world, intent["id"], {"outcome": outcome})


@on("payment_intent", has("status", "requires_payment_method", "requires_action"))
def cancel_payment(world: World, random: Random, intent: JSON) -> None:
    """A payment is given up, unless it pays an invoice."""
    if intent["id"] not in world.facts("invoice_of_intent"):
        call(world, "POST", f"/v1/payment_intents/{intent['id']}/cancel")


@on("charge", lambda charge: charge["paid"] and not charge["refunded"])
def refund(world: World, random: Random, charge: JSON) -> None:
    """Part or all of a charge goes back."""
    left = charge["amount"] - charge["amount_refunded"]
    params = {"charge": charge["id"], "amount": random.choice((left, random.randint(1, left)))}
    call(world, "POST", "/v1/refunds", params)


@on("refund", has("status", "succeeded"))
def fail_refund(world: World, random: Random, refund: JSON) -> None:
    """The bank sends a refund back, rarely."""
    if random.random() < 0.3:
        actions.fail_refund(world, refund["id"], {})


@on("charge", lambda charge: charge["paid"] and not charge["disputed"])
def dispute(world: World, random: Random, charge: JSON) -> None:
    """A bank opens a dispute."""
    actions.dispute(world, "", {"charge": charge["id"]})


@on("dispute", has("status", "needs_response", "under_review"))
def answer_dispute(world: World, random: Random, dispute: JSON) -> None:
    """The seller answers, or the bank decides."""
    if dispute["status"] == "needs_response" and random.random() < 0.5:
        evidence = {"evidence": {"product_description": "A thing"}}
        call(world, "POST", f"/v1/disputes/{dispute['id']}", evidence)
    else:
        status = random.choice(("won", "lost"))
        actions.close_dispute(world, dispute["id"], {"status": status})


@on("customer")
def meter_usage(world: World, random: Random, customer: JSON) -> None:
    """Usage is reported to a meter."""
    if not world.all("billing.meter"):
        params: JSON = {"display_name": "Calls", "event_name": "calls"}
        call(
            world,
            "POST",
            "/v1/billing/meters",
            params | {"default_aggregation": {"formula": "sum"}},
        )
    payload = {"stripe_customer_id": customer["id"], "value": str(random.randint(1, 9))}
    call(world, "POST", "/v1/billing/meter_events", {"event_name": "calls", "payload": payload})


@on("customer")
def set_up(world: World, random: Random, customer: JSON) -> None:
    """A setup intent, with a good or a bad card."""
    method = f"pm_card_{random.choice(('visa', 'chargeDeclined'))}"
    params = {"customer": customer["id"], "payment_method": method, "confirm": True}
    call(world, "POST", "/v1/setup_intents", params)
