"""Checkout from Stripe's SDK and a browser's forms to the events it causes."""

from typing import Any

from tests.simulator.served import Running


async def price(running: Running, key: str) -> str:
    """The id of a price of the demo catalogue."""
    found = await running.sdk.v1.prices.list_async({"lookup_keys": [key]})
    return found.data[0].id


async def session(running: Running, key: str, mode: Any, **more: Any) -> Any:
    """A Checkout Session for one piece of a price."""
    return await running.sdk.v1.checkout.sessions.create_async(
        {
            "mode": mode,
            "line_items": [{"price": await price(running, key), "quantity": 1}],
            "success_url": "https://shop.test/done?id={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://shop.test/back",
            **more,
        }
    )


async def test_a_subscription_exists_only_once_checkout_completes(running: Running) -> None:
    """Paying on the page redirects to success_url and makes the subscription, active."""
    made = await session(running, "pro_monthly", "subscription", client_reference_id="user_1")
    assert (await running.sdk.v1.subscriptions.list_async()).data == []
    page = await running.http.get(made.url)
    assert "Pro" in page.text
    assert "10.00 USD" in page.text
    answer = await running.http.post(made.url, data={"outcome": "pay"})
    assert answer.status_code == 303
    assert answer.headers["location"] == f"https://shop.test/done?id={made.id}"
    done = await running.sdk.v1.checkout.sessions.retrieve_async(
        made.id, {"expand": ["subscription.latest_invoice.payments", "line_items"]}
    )
    assert (done.status, done.payment_status) == ("complete", "paid")
    assert done.subscription.status == "active"
    assert done.subscription.latest_invoice.payments.data[0].status == "paid"
    assert done.line_items.data[0].amount_total == 1_000


async def test_a_subscription_checkout_tells_its_whole_story(running: Running) -> None:
    """Everything that Stripe sends for a first subscription comes in the same second."""
    made = await session(running, "pro_monthly", "subscription")
    already = len(running.simulator.world.events)
    await running.http.post(made.url, data={"outcome": "pay"})
    events = running.simulator.world.events[already:]
    assert {
        "customer.created",
        "payment_method.attached",
        "customer.subscription.created",
        "payment_intent.succeeded",
        "charge.succeeded",
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
        "checkout.session.completed",
    } <= {event["type"] for event in events}
    assert len({event["created"] for event in events}) == 1


async def test_a_declined_card_stays_on_the_page(running: Running) -> None:
    """A decline shows why, fails the payment intent and leaves the session open."""
    made = await session(running, "lifetime", "payment")
    answer = await running.http.post(made.url, data={"outcome": "decline"})
    assert answer.status_code == 402
    assert "Your card was declined." in answer.text
    types = [event["type"] for event in running.simulator.world.events]
    assert types[-1] == "payment_intent.payment_failed"
    again = await running.http.post(made.url, data={"outcome": "pay"})
    assert again.status_code == 303
    assert running.simulator.world.events[-1]["type"] == "checkout.session.completed"


async def test_cancel_leads_back_and_changes_nothing(running: Running) -> None:
    """Cancel redirects to cancel_url; the session can still be paid."""
    made = await session(running, "lifetime", "payment")
    answer = await running.http.post(made.url, data={"outcome": "cancel"})
    assert answer.headers["location"] == "https://shop.test/back"
    found = await running.sdk.v1.checkout.sessions.retrieve_async(made.id)
    assert found.status == "open"


async def test_a_delayed_payment_ends_later(running: Running) -> None:
    """A bank debit completes the session unpaid; its end is told by an event of its own."""
    made = await session(running, "lifetime", "payment")
    await running.http.post(made.url, data={"outcome": "async"})
    found = await running.sdk.v1.checkout.sessions.retrieve_async(made.id)
    assert (found.status, found.payment_status) == ("complete", "unpaid")
    await running.control(f"checkout/{made.id}/async", outcome="succeeded")
    found = await running.sdk.v1.checkout.sessions.retrieve_async(made.id)
    assert found.payment_status == "paid"
    last = running.simulator.world.events[-1]
    assert last["type"] == "checkout.session.async_payment_succeeded"


async def test_a_bank_debit_is_ended_on_its_page(running: Running) -> None:
    """A debit on its way is on the first page, and its page has a button for each end."""
    made = await session(running, "lifetime", "payment")
    await running.http.post(made.url, data={"outcome": "async"})
    assert f"/c/pay/{made.id}" in (await running.http.get("/")).text
    assert "The bank refuses" in (await running.http.get(made.url)).text
    answer = await running.http.post(made.url, data={"outcome": "bank_refuses"})
    assert answer.headers["location"].startswith("https://shop.test/")
    assert "The bank refuses" not in (await running.http.get(made.url)).text
    last = running.simulator.world.events[-1]
    assert last["type"] == "checkout.session.async_payment_failed"


async def test_a_decline_says_why(running: Running) -> None:
    """The page tells a card without funds from one that is declined without a reason."""
    made = await session(running, "lifetime", "payment")
    answer = await running.http.post(made.url, data={"outcome": "pay", "card": "9995"})
    assert "Your card has insufficient funds." in answer.text
    answer = await running.http.post(made.url, data={"outcome": "decline"})
    assert "Your card was declined." in answer.text


async def test_a_trial_needs_no_payment(running: Running) -> None:
    """A trial's first invoice is over nothing and has no payment intent."""
    data = {"trial_period_days": 14, "metadata": {"user": "1"}}
    made = await session(running, "pro_monthly", "subscription", subscription_data=data)
    await running.http.post(made.url, data={"outcome": "pay"})
    found = await running.sdk.v1.checkout.sessions.retrieve_async(
        made.id, {"expand": ["subscription.latest_invoice.payments"]}
    )
    assert found.payment_status == "no_payment_required"
    assert found.subscription.status == "trialing"
    assert found.subscription.metadata["user"] == "1"
    assert found.subscription.latest_invoice.amount_due == 0
    assert found.subscription.latest_invoice.payments.data == []


async def test_setup_keeps_a_card(running: Running) -> None:
    """Setup mode attaches the card to the customer and takes no money."""
    customer = await running.sdk.v1.customers.create_async({"email": "a@shop.test"})
    made = await running.sdk.v1.checkout.sessions.create_async(
        {
            "mode": "setup",
            "currency": "usd",
            "customer": customer.id,
            "success_url": "https://shop.test/done",
        }
    )
    await running.http.post(made.url, data={"outcome": "pay", "card": "4444"})
    cards = await running.sdk.v1.customers.payment_methods.list_async(customer.id)
    assert [card.card.last4 for card in cards.data] == ["4444"]
    assert running.simulator.world.events[-1]["type"] == "checkout.session.completed"


async def test_a_promotion_code_typed_on_the_page_lowers_the_total(running: Running) -> None:
    """allow_promotion_codes lets a customer type a code in."""
    coupon = await running.sdk.v1.coupons.create_async({"percent_off": 20, "duration": "forever"})
    await running.sdk.v1.promotion_codes.create_async(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "TWENTY"}
    )
    made = await session(running, "pro_monthly", "subscription", allow_promotion_codes=True)
    await running.http.post(made.url, data={"outcome": "pay", "promotion_code": "twenty"})
    found = await running.sdk.v1.checkout.sessions.retrieve_async(
        made.id, {"expand": ["subscription.latest_invoice", "subscription.discounts"]}
    )
    assert found.amount_total == 800
    assert found.subscription.latest_invoice.total == 800
    assert found.subscription.discounts[0].source.coupon == coupon.id


async def test_a_session_expires(running: Running) -> None:
    """A day later the session is expired and cannot be paid any more."""
    made = await session(running, "lifetime", "payment")
    await running.control("clock/advance", seconds=86_400)
    assert running.simulator.world.events[-1]["type"] == "checkout.session.expired"
    answer = await running.http.post(made.url, data={"outcome": "pay"})
    assert answer.status_code == 400


async def test_an_embedded_session_has_a_secret_and_returns(running: Running) -> None:
    """embedded_page and elements have no url; completion leads to return_url."""
    made = await running.sdk.v1.checkout.sessions.create_async(
        {
            "mode": "payment",
            "ui_mode": "embedded_page",
            "line_items": [{"price": await price(running, "lifetime"), "quantity": 1}],
            "return_url": "https://shop.test/back?id={CHECKOUT_SESSION_ID}",
        }
    )
    assert made.url is None
    assert made.client_secret
    answer = await running.http.post(f"/c/pay/{made.id}", data={"outcome": "pay"})
    assert answer.headers["location"] == f"https://shop.test/back?id={made.id}"


async def test_a_customer_changes_an_adjustable_quantity(running: Running) -> None:
    """The page's quantity counts for the total, within its bounds."""
    item = {"price": await price(running, "lifetime"), "quantity": 1}
    item["adjustable_quantity"] = {"enabled": True, "minimum": 1, "maximum": 3}
    made = await session(running, "lifetime", "payment", line_items=[item])
    (line,) = running.simulator.world.facts("line_items")[made.id]
    field = f"quantity_{line['id']}"
    refused = await running.http.post(made.url, data={"outcome": "pay", field: "4"})
    assert refused.status_code == 400
    await running.http.post(made.url, data={"outcome": "pay", field: "3"})
    found = await running.sdk.v1.checkout.sessions.retrieve_async(made.id)
    assert found.amount_total == 75_000


async def test_a_one_time_payment_can_have_an_invoice(running: Running) -> None:
    """invoice_creation makes an invoice that the payment pays."""
    made = await session(
        running,
        "lifetime",
        "payment",
        customer_creation="always",
        invoice_creation={"enabled": True, "invoice_data": {"metadata": {"order": "1"}}},
    )
    await running.http.post(made.url, data={"outcome": "pay", "email": "a@shop.test"})
    found = await running.sdk.v1.checkout.sessions.retrieve_async(
        made.id, {"expand": ["invoice", "customer"]}
    )
    assert found.invoice.status == "paid"
    assert found.invoice.metadata["order"] == "1"
    assert found.customer.email == "a@shop.test"


async def test_a_card_can_be_good_now_and_decline_later(running: Running) -> None:
    """Card 0341 pays at Checkout and fails at the renewal."""
    made = await session(running, "pro_monthly", "subscription")
    await running.http.post(made.url, data={"outcome": "pay", "card": "0341"})
    (sub,) = running.simulator.world.all("subscription").values()
    assert sub["status"] == "active"
    await running.control("clock/advance", seconds=32 * 86_400)
    assert sub["status"] == "past_due"


async def test_a_delayed_first_payment_that_fails_makes_past_due(running: Running) -> None:
    """A subscription paid by bank debit is active until the debit comes back."""
    made = await session(running, "pro_monthly", "subscription")
    await running.http.post(made.url, data={"outcome": "async"})
    (sub,) = running.simulator.world.all("subscription").values()
    assert sub["status"] == "active"
    await running.control(f"checkout/{made.id}/async", outcome="failed")
    assert sub["status"] == "past_due"
