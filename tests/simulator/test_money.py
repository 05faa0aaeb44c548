"""Money that moves apart from subscriptions: refunds, disputes, credit notes, invoices by hand."""

import pytest

from stripe_simulator.errors import StripeError
from stripe_simulator.http.actions import ACTIONS
from stripe_simulator.resources.checkout_completion import Form, complete
from tests.simulator.test_subscriptions import Shop


def paid(shop: Shop, card: str = "visa") -> str:
    """The charge of a payment of 10.00."""
    params = {"amount": 1_000, "currency": "usd", "customer": shop.customer}
    intent = shop.post("payment_intents", **params, payment_method=f"pm_card_{card}", confirm=True)
    return str(intent["latest_charge"])


def test_a_refund_can_be_partial_and_then_whole() -> None:
    """Each refund says on the charge how much went back, until nothing is left."""
    shop = Shop()
    charge = paid(shop)
    shop.post("refunds", charge=charge, amount=400)
    refunded = next(e for e in shop.world.events if e["type"] == "charge.refunded")
    assert refunded["data"]["previous_attributes"] == {"amount_refunded": 0}
    shop.post("refunds", charge=charge)
    assert shop.world.get("charge", charge)["refunded"]
    with pytest.raises(StripeError) as raised:
        shop.post("refunds", charge=charge)
    assert raised.value.error["code"] == "charge_already_refunded"


def test_a_refund_can_fail() -> None:
    """The bank sends it back: the charge counts as not refunded again."""
    shop = Shop()
    charge = paid(shop)
    refund = shop.post("refunds", charge=charge)
    ACTIONS["refunds/{id}/fail"](shop.world, refund["id"], {})
    assert refund["status"] == "failed"
    assert shop.world.get("charge", charge)["amount_refunded"] == 0


@pytest.mark.parametrize("status", ["won", "lost"])
def test_a_dispute_takes_the_money_until_it_is_won(status: str) -> None:
    """Created, withdrawn, closed; a won dispute reinstates the funds."""
    shop = Shop()
    charge = paid(shop)
    begin = shop.mark()
    dispute = ACTIONS["disputes"](shop.world, "", {"charge": charge})
    ACTIONS["disputes/{id}/close"](shop.world, dispute["id"], {"status": status})
    types = shop.since(begin)
    assert shop.world.get("charge", charge)["disputed"]
    assert ("charge.dispute.funds_reinstated" in types) == (status == "won")
    assert types[-1] == "charge.dispute.closed"


def test_the_card_of_disputes_is_disputed_at_once() -> None:
    """Stripe's test card for disputes opens one with its first charge."""
    shop = Shop()
    paid(shop, "createDispute")
    assert len(shop.world.all("dispute")) == 1


def test_a_declined_payment_is_a_402_that_names_the_code() -> None:
    """The error carries the payment intent; the events tell of the failure."""
    shop = Shop()
    with pytest.raises(StripeError) as raised:
        paid(shop, "chargeDeclinedInsufficientFunds")
    assert raised.value.status == 402
    assert raised.value.error["decline_code"] == "insufficient_funds"
    assert raised.value.error["payment_intent"]["status"] == "requires_payment_method"
    assert shop.since(0)[-1] == "payment_intent.payment_failed"


def test_a_payment_that_checkout_still_uses_is_not_canceled() -> None:
    """A declined payment at Checkout waits for another card; only its session can be given up."""
    shop = Shop()
    product = shop.post("products", name="Thing")["id"]
    price = shop.post("prices", product=product, currency="usd", unit_amount=1_000)["id"]
    items = [{"price": price, "quantity": 1}]
    session = shop.post(
        "checkout/sessions", mode="payment", line_items=items, success_url="https://shop.test/"
    )
    with pytest.raises(StripeError):
        complete(shop.world, session["id"], Form(card="0002"))
    [intent] = shop.world.all("payment_intent")

    with pytest.raises(StripeError, match="expire its session"):
        shop.post(f"payment_intents/{intent}/cancel")

    complete(shop.world, session["id"], Form(card="4242"))
    assert shop.world.get("payment_intent", intent)["status"] == "succeeded"


def test_an_invoice_by_hand_is_paid_and_credited() -> None:
    """Items wait for the invoice; a credit note after payment refunds."""
    shop = Shop()
    shop.post("invoiceitems", customer=shop.customer, amount=700, currency="usd")
    invoice = shop.post(
        "invoices", customer=shop.customer, pending_invoice_items_behavior="include"
    )
    shop.post(f"invoices/{invoice['id']}/finalize")
    shop.post(f"invoices/{invoice['id']}/pay")
    assert (invoice["status"], invoice["amount_paid"]) == ("paid", 700)
    note = shop.post("credit_notes", invoice=invoice["id"], amount=200, refund_amount=200)
    assert note["type"] == "post_payment"
    assert invoice["post_payment_credit_notes_amount"] == 200
    (refund,) = shop.world.all("refund").values()
    assert refund["amount"] == 200


def test_what_a_credit_note_credits_pays_the_next_invoice() -> None:
    """Instead of a refund, a credit note may credit the customer's balance."""
    shop = Shop()
    sub = shop.subscribe()
    shop.post("credit_notes", invoice=sub["latest_invoice"], amount=1000, credit_amount=1000)
    ACTIONS["subscriptions/{id}/renew"](shop.world, sub["id"], {})
    renewal = shop.world.get("invoice", sub["latest_invoice"])
    assert (renewal["total"], renewal["amount_paid"], renewal["status"]) == (1000, 0, "paid")
    assert shop.world.all("refund") == {}


def test_an_open_invoice_can_be_voided_or_given_up() -> None:
    """Each ends the invoice with an event of its own."""
    shop = Shop()
    for verb, status in (("void", "void"), ("mark_uncollectible", "uncollectible")):
        shop.post("invoiceitems", customer=shop.customer, amount=700, currency="usd")
        invoice = shop.post(
            "invoices", customer=shop.customer, pending_invoice_items_behavior="include"
        )
        shop.post(f"invoices/{invoice['id']}/finalize")
        shop.post(f"invoices/{invoice['id']}/{verb}")
        assert invoice["status"] == status


def test_a_delayed_payment_of_an_invoice_can_fail() -> None:
    """A bank debit is processing at first and may come back."""
    shop = Shop(card=None)
    account = {"iban": "DE89370400440532013000"}
    method = shop.post("payment_methods", type="sepa_debit", sepa_debit=account)["id"]
    shop.post(f"payment_methods/{method}/attach", customer=shop.customer)
    sub = shop.subscribe(default_payment_method=method)
    assert sub["status"] == "active"
    (intent,) = shop.world.all("payment_intent")
    ACTIONS["payment_intents/{id}/finish"](shop.world, intent, {"outcome": "failed"})
    assert shop.world.get("invoice", sub["latest_invoice"])["status"] == "open"
    assert "charge.failed" in shop.since(0)


def test_a_detached_card_is_no_default_any_more() -> None:
    """payment_method.detached shows its former customer; the customer loses the default."""
    shop = Shop()
    method = shop.world.get("customer", shop.customer)["invoice_settings"]["default_payment_method"]
    shop.post(f"payment_methods/{method}/detach")
    detached = next(e for e in shop.world.events if e["type"] == "payment_method.detached")
    assert detached["data"]["previous_attributes"] == {"customer": shop.customer}
    customer = shop.world.get("customer", shop.customer)
    assert customer["invoice_settings"]["default_payment_method"] is None
