"""The buttons of the pages: each scenario causes the events that Stripe sends, in their order."""

from typing import Any

import pytest

from tests.simulator.served import Running
from tests.simulator.test_checkout import session

_PAID = [
    *("charge.succeeded", "payment_intent.succeeded", "charge.updated", "invoice.updated"),
    *("invoice_payment.paid", "invoice.paid", "invoice.payment_succeeded"),
]
_UPDATED = "customer.subscription.updated"
_RENEWAL = ["invoice.upcoming", "invoice.created", _UPDATED, "invoice.finalized"]
_FAILED = [
    *("charge.failed", "payment_intent.payment_failed"),
    *("invoice.updated", "invoice.payment_failed"),
]
_REFUND = ["charge.refunded", "refund.created", "refund.updated", "charge.refund.updated"]
_DISPUTE = [
    *("charge.updated", "charge.dispute.created"),
    *("charge.dispute.updated", "charge.dispute.funds_withdrawn"),
]
_CARD = ["payment_method.attached", _UPDATED]
_ACTION = [
    *("payment_intent.requires_action", "invoice.updated"),
    *("invoice.payment_failed", "invoice.payment_action_required"),
]


def _newest(running: Running, kind: str) -> Any:
    return next(reversed(running.simulator.world.all(kind).values()))


async def _press(running: Running, kind: str, scenario: str, **fields: str) -> list[str]:
    """Press a button of the newest object of a kind; return the types of the new events.

    The button is on the page, and the page after it lists the events.
    """
    path = "/" if kind == "account" else f"/objects/{kind}/{_newest(running, kind)['id']}"
    assert f'value="{scenario}"' in (await running.http.get(path)).text
    before = len(running.simulator.world.events)
    answer = await running.http.post(path, data={"scenario": scenario, **fields})
    assert answer.status_code == 303, answer.text
    caused = running.simulator.world.events[before:]
    page = (await running.http.get(answer.headers["location"])).text
    assert "What happened" in page
    assert all(event["id"] in page for event in caused[:100])
    return [event["type"] for event in caused]


async def _buy(running: Running, price: str = "pro_monthly", **params: Any) -> None:
    mode = "payment" if price == "lifetime" else "subscription"
    made = await session(running, price, mode, **params)
    await running.http.post(made.url, data={"outcome": "pay"})


async def test_renew(running: Running) -> None:
    """The clock moves to the next period, and an hour later the invoice is paid."""
    await _buy(running)
    old = _newest(running, "subscription")["items"]["data"][0]["current_period_end"]
    events = await _press(running, "subscription", "renew")
    assert events == [*_RENEWAL, "payment_intent.created", *_PAID]
    item = _newest(running, "subscription")["items"]["data"][0]
    assert item["current_period_start"] == old <= running.simulator.world.now


async def test_fail_a_payment_and_pay(running: Running) -> None:
    """The renewal is past due, a second attempt fails, and a card that works makes it active."""
    await _buy(running)
    assert await _press(running, "subscription", "use_declining_card") == _CARD
    events = await _press(running, "subscription", "renew")
    assert events == [*_RENEWAL, "payment_intent.created", *_FAILED, _UPDATED]
    assert _newest(running, "subscription")["status"] == "past_due"
    assert await _press(running, "invoice", "fail_payment") == ["payment_method.attached", *_FAILED]
    assert await _press(running, "invoice", "pay") == [*_PAID, _UPDATED]
    assert _newest(running, "subscription")["status"] == "active"
    assert await _press(running, "subscription", "use_good_card") == _CARD
    events = await _press(running, "subscription", "renew")
    assert events[-1] == "invoice.payment_succeeded"


@pytest.mark.parametrize(
    ("scenario", "events"),
    [
        ("authenticate", [*_PAID, _UPDATED]),
        ("fail_authentication", _FAILED),
    ],
)
async def test_authentication(running: Running, scenario: str, events: list[str]) -> None:
    """The renewal waits for the customer, who passes or fails the bank's check."""
    await _buy(running)
    await _press(running, "subscription", "use_card_with_authentication")
    renewal = [*_RENEWAL, "payment_intent.created", *_ACTION, _UPDATED]
    assert await _press(running, "subscription", "renew") == renewal
    assert await _press(running, "payment_intent", scenario) == events


@pytest.mark.parametrize(
    ("scenario", "status", "events"),
    [
        ("void", "void", ["invoice.voided"]),
        ("give_up", "uncollectible", ["invoice.marked_uncollectible", _UPDATED]),
        ("pay_out_of_band", "paid", ["invoice.paid", "invoice.payment_succeeded", _UPDATED]),
    ],
)
async def test_an_open_invoice(
    running: Running, scenario: str, status: str, events: list[str]
) -> None:
    """It is voided, given up, or paid by bank transfer."""
    await _buy(running)
    await _press(running, "subscription", "use_declining_card")
    await _press(running, "subscription", "renew")
    found = await _press(running, "invoice", scenario)
    assert [type for type in found if type in events] == events, found
    assert _newest(running, "invoice")["status"] == status


async def test_refund_a_part_then_the_rest(running: Running) -> None:
    """Both refunds have Stripe's events; the bank may send one back."""
    await _buy(running, "lifetime")
    assert await _press(running, "charge", "refund_part", number="300") == _REFUND
    assert _newest(running, "charge")["amount_refunded"] == 300
    assert await _press(running, "charge", "refund") == _REFUND
    assert _newest(running, "charge")["refunded"] is True
    assert await _press(running, "refund", "fail_refund") == ["refund.updated", "refund.failed"]


@pytest.mark.parametrize(
    ("scenario", "events"),
    [
        (
            "win",
            [
                *("charge.dispute.updated", "charge.dispute.funds_reinstated"),
                "charge.dispute.closed",
            ],
        ),
        ("lose", ["charge.dispute.closed"]),
    ],
)
async def test_dispute(running: Running, scenario: str, events: list[str]) -> None:
    """The bank takes the money, looks at the evidence, and decides."""
    await _buy(running, "lifetime")
    assert await _press(running, "charge", "dispute") == _DISPUTE
    assert await _press(running, "dispute", "submit_evidence") == ["charge.dispute.updated"]
    assert await _press(running, "dispute", scenario) == events


async def test_cancel_and_keep(running: Running) -> None:
    """A cancellation can be taken back until the clock reaches it."""
    await _buy(running)
    for scenario in ("cancel_at_period_end", "keep", "cancel_at_period_end"):
        assert await _press(running, "subscription", scenario) == [_UPDATED]
    events = await _press(running, "subscription", "end")
    assert events == ["customer.subscription.deleted"]


async def test_cancel_now(running: Running) -> None:
    """The subscription is canceled, and its page has no button any more."""
    await _buy(running)
    assert await _press(running, "subscription", "cancel_now") == ["customer.subscription.deleted"]
    path = f"/objects/subscription/{_newest(running, 'subscription')['id']}"
    assert 'name="scenario"' not in (await running.http.get(path)).text
    refused = await running.http.post(path, data={"scenario": "renew"})
    assert refused.status_code == 400
    assert "renew is not possible now" in refused.text


async def test_pause_collection(running: Running) -> None:
    """Collection is paused and resumed."""
    await _buy(running)
    assert await _press(running, "subscription", "pause_collection") == [_UPDATED]
    assert await _press(running, "subscription", "resume_collection") == [_UPDATED]


async def test_end_a_trial(running: Running) -> None:
    """The trial ends with the first payment."""
    await _buy(running, subscription_data={"trial_period_days": 14})
    assert _newest(running, "subscription")["status"] == "trialing"
    events = await _press(running, "subscription", "end_trial")
    assert "invoice.paid" in events
    assert _newest(running, "subscription")["status"] == "active"


async def test_advance_the_clock(running: Running) -> None:
    """A month renews; an hour later the invoice is paid; a day and the agenda are further steps."""
    await _buy(running)
    now = running.simulator.world.now
    assert await _press(running, "account", "advance_hour") == []
    assert await _press(running, "account", "advance_day") == []
    assert await _press(running, "account", "advance_week") == []
    assert running.simulator.world.now == now + 8 * 86_400 + 3_600
    assert await _press(running, "account", "advance_to_next") == ["invoice.upcoming"]
    events = await _press(running, "account", "advance_month")
    assert "invoice.paid" in events


@pytest.mark.parametrize(
    ("scenario", "event"),
    [
        ("pay_out", "payout.paid"),
        ("fail_payout", "payout.failed"),
        ("cancel_payout", "payout.canceled"),
    ],
)
async def test_payouts(running: Running, scenario: str, event: str) -> None:
    """A payout is sent, and the bank or the seller ends it."""
    assert await _press(running, "account", "send_payout", number="500") == ["payout.created"]
    assert _newest(running, "payout")["amount"] == 500
    assert await _press(running, "payout", scenario) == [event]


@pytest.mark.parametrize("number", ["", "0", "-1", "1.5", "x", "99999999999999999999"])
async def test_a_number_that_is_not_valid(running: Running, number: str) -> None:
    """The page names the value, and nothing happens."""
    before = len(running.simulator.world.events)
    answer = await running.http.post("/", data={"scenario": "send_payout", "number": number})
    assert answer.status_code == 400
    assert "is not a positive whole number" in answer.text
    assert len(running.simulator.world.events) == before


@pytest.mark.parametrize(
    ("scenario", "event"), [("finish_debit", "paid"), ("fail_debit", "failed")]
)
async def test_bank_debits(running: Running, scenario: str, event: str) -> None:
    """A delayed payment of a subscription succeeds or fails days later."""
    made = await session(running, "pro_monthly", "subscription")
    await running.http.post(made.url, data={"outcome": "async"})
    events = await _press(running, "payment_intent", scenario)
    assert any(event in type for type in events)


async def test_what_a_seller_does(running: Running) -> None:
    """Sessions expire, products and prices are archived, customers are deleted."""
    await _buy(running)
    await session(running, "lifetime", "payment")
    assert await _press(running, "checkout.session", "expire") == ["checkout.session.expired"]
    for kind, name in (("product", "product"), ("price", "price")):
        assert await _press(running, kind, f"archive_{name}") == [f"{kind}.updated"]
        assert await _press(running, kind, f"restore_{name}") == [f"{kind}.updated"]
    customer = _newest(running, "customer")["id"]
    path = f"/objects/customer/{customer}"
    portal = await running.http.post(f"{path}/portal")
    assert (await running.http.get(portal.headers["location"])).status_code == 200
    deleted = await running.http.post(path, data={"scenario": "delete_customer"})
    page = await running.http.get(deleted.headers["location"])
    assert page.status_code == 404
    assert "customer.deleted" in page.text


async def test_every_list_and_link_works(running: Running) -> None:
    """Each link of the first page and of an object's page leads to a page."""
    await _buy(running)
    await _press(running, "charge", "dispute")
    pages = ["/", f"/objects/invoice/{_newest(running, 'invoice')['id']}", "/events"]
    for page in pages:
        text = (await running.http.get(page)).text
        for path in {part.split('"')[0] for part in text.split('<a href="')[1:]}:
            answer = await running.http.get(path)
            assert answer.status_code == 200, path


async def test_an_event_is_delivered_again(running: Running) -> None:
    """Its page shows each answer of the endpoint."""
    await running.control("webhook_endpoints", url="http://127.0.0.1:9/none", secret="whsec_1")
    await running.control("deliveries", retry_first=100)
    await running.sdk.v1.customers.create_async({"name": "<b>A</b>"})
    path = f"/events/{running.simulator.world.events[-1]['id']}"
    assert (await running.http.post(path, data={"action": "redeliver"})).status_code == 303
    text = (await running.http.get(path)).text
    assert "Deliver it again" in text
    assert "<b>" not in text
    assert (await running.http.get("/events/evt_none")).status_code == 404
