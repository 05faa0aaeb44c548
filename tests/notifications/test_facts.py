"""A mail states what is so when it is sent, not what its event alone suggests."""

from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from gateway.notifications.kinds import describe
from gateway.notifications.stored_event import read_event
from gateway.notifications.templates import Templates
from gateway.settings import SettingsError
from tests.delivery import Json, build_event, build_subscription
from tests.notifications.mail_server import MailServer
from tests.notifications.notification_stack import (
    SELLER,
    NotificationStack,
    build_invoice,
    build_session,
)
from tests.stripe_account import StripeAccount

_SOON = 1_900_000_000
_OWED = {"status": "open", "amount_paid": 0, "amount_remaining": 1200}


async def _create_price(account: StripeAccount, amount: int) -> str:
    product = await account.create("products", name="Pro")
    recurring = {"recurring[interval]": "month"}
    price = await account.create(
        "prices", product=product["id"], currency="usd", unit_amount=amount, **recurring
    )
    return str(price["id"])


async def _create_customer(
    account: StripeAccount, notification_stack: NotificationStack, card: str = ""
) -> str:
    """A customer of the payer's at Stripe, with a card as default if one is named."""
    metadata = {"metadata[pocketbase_user]": notification_stack.user.id}
    made = await account.create("customers", email=notification_stack.user.email, **metadata)
    if card:
        method = await account.create(f"payment_methods/{card}/attach", customer=made["id"])
        default = {"invoice_settings[default_payment_method]": method["id"]}
        await account.create(f"customers/{made['id']}", **default)
    # A mail waits 30 s for its address while the customer's row is missing.
    await account.wait_delivered()
    return str(made["id"])


async def _start_trial(account: StripeAccount, customer: str, **fields: Any) -> Json:
    price = await _create_price(account, 2000)
    return await account.create(
        "subscriptions",
        customer=customer,
        trial_period_days=3,
        **{"items[0][price]": price, **fields},
    )


@pytest.mark.parametrize(
    ("behavior", "card", "said"),
    [
        ("cancel", "", "your subscription is canceled then, and nothing is charged"),
        ("pause", "", "your subscription is paused then, and nothing is charged"),
        ("create_invoice", "", "continues for 20.00 USD. We have no payment method of yours"),
        ("cancel", "pm_card_visa", "continues for 20.00 USD. If you do not want"),
    ],
)
async def test_a_trial_without_a_payment_method_says_what_follows(
    behavior: str,
    card: str,
    said: str,
    notification_stack: NotificationStack,
    account: StripeAccount,
    mail_server: MailServer,
) -> None:
    """Only a payer without a card reads what the subscription does without one."""
    customer = await _create_customer(account, notification_stack, card)
    ends = {"trial_settings[end_behavior][missing_payment_method]": behavior}
    subscription = await _start_trial(account, customer, **ends)
    event = await notification_stack.deliver("customer.subscription.trial_will_end", subscription)
    assert (await notification_stack.wait_settled(event))["status"] == "done"
    assert said in mail_server.read_text()


@pytest.mark.parametrize(("card", "status"), [("", "cancelled"), ("pm_card_visa", "done")])
async def test_a_trial_that_ends_the_subscription_is_no_renewal(
    card: str,
    status: str,
    notification_stack: NotificationStack,
    account: StripeAccount,
    mail_server: MailServer,
) -> None:
    """Stripe announces an invoice of a trial that will end without a payment method, too."""
    customer = await _create_customer(account, notification_stack, card)
    ends = {"trial_settings[end_behavior][missing_payment_method]": "cancel"}
    subscription = await _start_trial(account, customer, **ends)
    await notification_stack.deliver("customer.subscription.created", subscription)
    invoice = build_invoice(customer, subscription=subscription["id"])
    event = await notification_stack.deliver(
        "invoice.upcoming", invoice | {"id": None, "period_end": _SOON}
    )
    assert (await notification_stack.wait_settled(event))["status"] == status


async def test_a_trial_that_stripe_does_not_know_is_judged_by_the_mirror(
    notification_stack: NotificationStack, mail_server: MailServer
) -> None:
    """Without a payment method here the trial's end is said; with one the condition is."""
    end = {"end_behavior": {"missing_payment_method": "cancel"}}
    trial = build_subscription(
        notification_stack.customer["id"], status="trialing", trial_settings=end
    )
    event = await notification_stack.deliver(
        "customer.subscription.trial_will_end", trial | {"trial_end": _SOON}
    )
    assert (await notification_stack.wait_settled(event))["status"] == "done"
    assert "your subscription is canceled then" in mail_server.read_text()
    card = {"id": f"pm_{token_hex(6)}", "object": "payment_method", "type": "card"}
    await notification_stack.deliver(
        "payment_method.attached", card | {"customer": notification_stack.customer["id"]}
    )
    event = await notification_stack.deliver(
        "customer.subscription.trial_will_end", trial | {"trial_end": _SOON}
    )
    assert (await notification_stack.wait_settled(event))["status"] == "done"
    assert (
        "If we have no payment method of yours by then, it is canceled" in mail_server.read_text()
    )


async def test_a_trials_amount_has_coupon_tax_and_credit(
    notification_stack: NotificationStack, account: StripeAccount, mail_server: MailServer
) -> None:
    """The first invoice's total is announced: discounted, taxed, and what credit covers of it."""
    customer = await _create_customer(account, notification_stack, "pm_card_visa")
    coupon = await account.create("coupons", percent_off=50, duration="forever")
    rate = await account.create("tax_rates", display_name="VAT", percentage=20, inclusive="false")
    more = {"discounts[0][coupon]": coupon["id"], "default_tax_rates[0]": rate["id"]}
    subscription = await _start_trial(account, customer, **more)
    await account.create(f"customers/{customer}", balance=-300)
    event = await notification_stack.deliver("customer.subscription.trial_will_end", subscription)
    assert (await notification_stack.wait_settled(event))["status"] == "done"
    assert "for 12.00 USD, of which your credit covers 3.00 USD." in mail_server.read_text()


_PRICE = {"id": "price_1", "unit_amount": 2000, "billing_scheme": "per_unit"}
_TENTH = {"coupon": {"id": "c", "percent_off": 10}}
_TAX = {"id": "txr_1", "percentage": 20, "inclusive": False}


@pytest.mark.parametrize(
    ("members", "amount"),
    [
        ({}, 4000),
        ({"discount": _TENTH}, 3600),
        ({"discounts": [{"source": {"coupon": {"id": "c", "amount_off": 500}}}]}, 3500),
        ({"discounts": [_TENTH], "default_tax_rates": [_TAX]}, 4320),
        ({"default_tax_rates": [_TAX | {"inclusive": True}]}, 4000),
        ({"discounts": ["di_1"]}, ""),
        ({"automatic_tax": {"enabled": True}}, ""),
        ({"price": {"unit_amount": None, "billing_scheme": "tiered"}}, ""),
        ({"price": {"transform_quantity": {"divide_by": 10, "round": "up"}}}, ""),
        ({"price": {"recurring": {"usage_type": "metered"}}}, ""),
    ],
)
def test_an_amount_is_announced_only_if_it_is_known(members: Json, amount: object) -> None:
    """Of a subscription that Stripe can't preview, coupons and tax count as far as they show."""
    price = _PRICE | members.pop("price", {})
    items = {"data": [{"id": "si_1", "quantity": 2, "price": price}]}
    trial = build_subscription("cus_1", status="trialing", currency="usd") | {"items": items}
    event = build_event("customer.subscription.trial_will_end", trial | members)
    assert describe(read_event(event)).facts["amount"] == amount


async def test_a_renewal_that_costs_nothing_is_not_announced(
    notification_stack: NotificationStack, mail_server: MailServer
) -> None:
    """An upcoming invoice of 0 brings no mail; one that credit covers says that it does."""
    members = {"id": None, "amount_due": 0, "period_end": _SOON}
    free = await notification_stack.deliver(
        "invoice.upcoming",
        build_invoice(notification_stack.customer["id"]) | members | {"total": 0},
    )
    assert await notification_stack.find(free) == []
    covered = await notification_stack.deliver(
        "invoice.upcoming",
        build_invoice(notification_stack.customer["id"]) | members | {"total": 1200},
    )
    assert (await notification_stack.wait_settled(covered))["status"] == "done"
    assert "renews for 12.00 EUR. Your credit covers it" in mail_server.read_text()


@pytest.mark.parametrize(
    ("members", "status"),
    [
        ({"pause_collection": {"behavior": "void", "resumes_at": None}}, "cancelled"),
        ({"pause_collection": {"behavior": "keep_as_draft", "resumes_at": _SOON + 9}}, "cancelled"),
        ({"pause_collection": {"behavior": "void", "resumes_at": _SOON - 9}}, "done"),
        ({"cancel_at": _SOON}, "cancelled"),
        ({"cancel_at": _SOON + 90 * 86_400}, "done"),
        ({"status": "canceled"}, "cancelled"),
    ],
)
async def test_a_renewal_that_is_not_charged_is_not_announced(
    members: Json, status: str, notification_stack: NotificationStack, mail_server: MailServer
) -> None:
    """A pause or an end before the date leaves nothing to announce; a later one changes nothing."""
    subscription = build_subscription(notification_stack.customer["id"], **members)
    await notification_stack.deliver("customer.subscription.updated", subscription)
    invoice = build_invoice(notification_stack.customer["id"], subscription=subscription["id"])
    invoice |= {"id": None, "period_end": _SOON}
    event = await notification_stack.deliver("invoice.upcoming", invoice)
    assert (await notification_stack.wait_settled(event))["status"] == status


async def test_a_metered_renewal_says_that_usage_is_added(
    notification_stack: NotificationStack, mail_server: MailServer
) -> None:
    """The amount of an upcoming invoice lacks what is used until it is final."""
    price = {"id": f"price_{token_hex(6)}", "object": "price", "currency": "usd"}
    await notification_stack.deliver(
        "price.created", price | {"recurring": {"usage_type": "metered"}}
    )
    items = {"data": [{"id": f"si_{token_hex(6)}", "price": {"id": price["id"]}}]}
    subscription = build_subscription(notification_stack.customer["id"], items=items)
    await notification_stack.deliver("customer.subscription.updated", subscription)
    invoice = build_invoice(notification_stack.customer["id"], subscription=subscription["id"])
    event = await notification_stack.deliver(
        "invoice.upcoming", invoice | {"id": None, "period_end": _SOON}
    )
    assert (await notification_stack.wait_settled(event))["status"] == "done"
    assert "renews for 12.00 EUR, plus your usage until then." in mail_server.read_text()


@pytest.mark.parametrize("first", ["invoice.payment_failed", "invoice.payment_action_required"])
async def test_a_payment_that_needs_authentication_brings_one_mail(
    first: str, notification_stack: NotificationStack, mail_server: MailServer
) -> None:
    """Both events of one attempt, in either order: the payer gets one mail."""
    invoice = build_invoice(notification_stack.customer["id"], **_OWED)
    second = {"invoice.payment_failed", "invoice.payment_action_required"} - {first}
    events = [await notification_stack.deliver(type, invoice) for type in (first, *second)]
    settled = [await notification_stack.wait_settled(event) for event in events]
    assert sorted(row["status"] for row in settled) == ["cancelled", "done"], settled
    assert len(mail_server.mails) == 1


async def test_authentication_is_what_is_asked_for(
    notification_stack: NotificationStack, account: StripeAccount, mail_server: MailServer
) -> None:
    """The failure is known to need authentication before the other event has arrived."""
    customer = await _create_customer(account, notification_stack, "pm_card_authenticationRequired")
    price = await _create_price(account, 2000)
    item = {"items[0][price]": price}
    # Only this gateway mails: the other one must not resolve states of the same second.
    async with account.holding_deliveries():
        subscription = await account.create("subscriptions", customer=customer, **item)
        invoice = await account.read(f"invoices/{subscription['latest_invoice']}")
        failed = await notification_stack.deliver("invoice.payment_failed", invoice)
        row = await notification_stack.wait_settled(failed)
        assert (row["status"], row["error"]) == ("cancelled", "action_required is mailed instead")
        event = await notification_stack.deliver("invoice.payment_action_required", invoice)
        assert (await notification_stack.wait_settled(event))["status"] == "done"
        assert mail_server.subjects == ["Confirm your payment of 20.00 USD to Acme"]


async def test_a_payment_that_is_under_way_is_not_asked_for(
    notification_stack: NotificationStack, account: StripeAccount, mail_server: MailServer
) -> None:
    """A payer who has confirmed at Stripe gets no request to confirm, before the event arrives."""
    customer = await _create_customer(account, notification_stack, "pm_card_authenticationRequired")
    price = await _create_price(account, 2000)
    item = {"items[0][price]": price}
    async with account.holding_deliveries():
        subscription = await account.create("subscriptions", customer=customer, **item)
        path = f"invoices/{subscription['latest_invoice']}"
        invoice = await account.read(path)
        shown = await account.read(f"{path}?expand[]=payments")
        intent = shown["payments"]["data"][0]["payment"]["payment_intent"]
        await account.control(f"payment_intents/{intent}/authenticate")
        event = await notification_stack.deliver("invoice.payment_action_required", invoice)
        row = await notification_stack.wait_settled(event)
    assert (row["status"], row["error"]) == ("cancelled", "outdated")


async def test_two_failures_of_one_invoice_are_two_mails(
    notification_stack: NotificationStack, mail_server: MailServer
) -> None:
    """The next attempt's failure is told again."""
    invoice = build_invoice(notification_stack.customer["id"], **_OWED)
    first = await notification_stack.deliver("invoice.payment_failed", invoice)
    await notification_stack.wait_settled(first)
    created = first["created"] - 3600
    again = await notification_stack.deliver(
        "invoice.payment_action_required", invoice, created=created
    )
    assert (await notification_stack.wait_settled(again))["status"] == "done"
    assert len(mail_server.mails) == 2


async def test_an_ended_subscription_is_not_retried(
    notification_stack: NotificationStack, mail_server: MailServer
) -> None:
    """After the end nothing is announced but what is still open."""
    subscription = build_subscription(notification_stack.customer["id"], status="canceled")
    await notification_stack.deliver("customer.subscription.deleted", subscription)
    invoice = build_invoice(
        notification_stack.customer["id"], **_OWED, subscription=subscription["id"]
    )
    invoice |= {"next_payment_attempt": _SOON}
    event = await notification_stack.deliver("invoice.payment_failed", invoice)
    assert (await notification_stack.wait_settled(event))["status"] == "done"
    text = mail_server.read_text()
    assert "Your subscription has ended. This amount is still open." in text
    assert "try again" not in text


async def test_what_is_left_is_asked_for(
    notification_stack: NotificationStack, mail_server: MailServer
) -> None:
    """A part that was paid since the failure is not asked for again."""
    invoice = build_invoice(notification_stack.customer["id"], **_OWED)
    after = invoice | {"amount_remaining": 700, "next_payment_attempt": _SOON}
    await notification_stack.deliver("invoice.updated", after)
    before = build_event("", {})["created"] - 5
    event = await notification_stack.deliver("invoice.payment_failed", invoice, created=before)
    assert (await notification_stack.wait_settled(event))["status"] == "done"
    assert mail_server.subjects == ["Your payment of 7.00 EUR to Acme failed"]
    assert "we try again on 17 March 2030" in mail_server.read_text()


_PRESENTED = {"presentment_amount": 1868, "presentment_currency": "eur"}


async def test_a_receipt_has_the_amount_that_the_buyer_paid(
    notification_stack: NotificationStack, mail_server: MailServer
) -> None:
    """Adaptive Pricing: the buyer's own currency, for a session, an invoice and a refund."""
    customer, payment = notification_stack.customer["id"], f"pi_{token_hex(6)}"
    intent = {"id": payment, "object": "payment_intent", "customer": customer, "currency": "usd"}
    intent |= {"status": "succeeded", "amount": 2000, "presentment_details": _PRESENTED}
    await notification_stack.deliver("payment_intent.succeeded", intent)
    refund = {"id": f"re_{token_hex(6)}", "object": "refund", "amount": 2000, "currency": "usd"}
    refund |= {"payment_intent": payment, "status": "succeeded", "presentment_details": _PRESENTED}
    invoice = build_invoice(customer, currency="usd", amount_paid=2000, payment_intent=payment)
    for type, item in (
        ("checkout.session.completed", build_session(customer, presentment_details=_PRESENTED)),
        ("invoice.paid", invoice),
        ("refund.created", refund | {"charge": None}),
    ):
        row = await notification_stack.wait_settled(await notification_stack.deliver(type, item))
        assert (row["status"], row["error"]) == ("done", "")
        assert "18.68 EUR" in mail_server.read_text()
        assert "USD" not in mail_server.read_text()


async def test_a_receipt_of_several_payments_has_their_sum(
    notification_stack: NotificationStack, mail_server: MailServer
) -> None:
    """The amount in another currency covers only a part of the invoice."""
    customer, payment = notification_stack.customer["id"], f"pi_{token_hex(6)}"
    intent = {"id": payment, "object": "payment_intent", "customer": customer, "currency": "usd"}
    intent |= {"status": "succeeded", "amount_received": 1200, "presentment_details": _PRESENTED}
    await notification_stack.deliver("payment_intent.succeeded", intent)
    invoice = build_invoice(customer, currency="usd", amount_paid=2000)
    paid = {"id": f"inpay_{token_hex(6)}", "object": "invoice_payment", "status": "paid"}
    paid |= {"invoice": invoice["id"], "amount_paid": 1200}
    paid |= {"payment": {"type": "payment_intent", "payment_intent": payment}}
    await notification_stack.deliver("invoice_payment.paid", paid)
    row = await notification_stack.wait_settled(
        await notification_stack.deliver("invoice.paid", invoice)
    )
    assert row["status"] == "done"
    assert "We received 20.00 USD" in mail_server.read_text()


@pytest.mark.parametrize("failed", [False, True])
async def test_a_late_receipt_says_what_was_refunded(
    failed: bool, notification_stack: NotificationStack, mail_server: MailServer
) -> None:
    """A receipt that is sent after a partial refund does not hide it, unless the refund failed."""
    payment = f"pi_{token_hex(6)}"
    charge = {
        "id": f"ch_{token_hex(6)}",
        "object": "charge",
        "customer": notification_stack.customer["id"],
    }
    charge |= {"payment_intent": payment, "amount": 1200, "amount_refunded": 500}
    await notification_stack.deliver("charge.refunded", charge | {"status": "succeeded"})
    if failed:
        refund = {"id": f"re_{token_hex(6)}", "object": "refund", "amount": 500}
        refund |= {"charge": charge["id"], "payment_intent": payment, "status": "failed"}
        await notification_stack.deliver("refund.failed", refund)
    intent = {
        "id": payment,
        "object": "payment_intent",
        "customer": notification_stack.customer["id"],
    }
    await notification_stack.deliver("payment_intent.succeeded", intent | {"status": "succeeded"})
    event = await notification_stack.pay(payment_intent=payment)
    assert (await notification_stack.wait_settled(event))["status"] == "done"
    assert "We received 12.00 EUR. - 1 x Pro" in mail_server.read_text()
    assert ("5.00 EUR was refunded since." in mail_server.read_text()) is not failed


@pytest.mark.parametrize(
    ("status", "said"),
    [("pending", "We are refunding 5.00 USD"), ("succeeded", "We sent 5.00 USD back to you.")],
)
async def test_a_refund_is_sent_only_when_it_is(
    status: str, said: str, notification_stack: NotificationStack, mail_server: MailServer
) -> None:
    """While a refund is under way the mail says so."""
    customer = notification_stack.customer["id"]
    charge = {"id": f"ch_{token_hex(6)}", "object": "charge", "customer": customer}
    await notification_stack.deliver("charge.succeeded", charge)
    refund = {"id": f"re_{token_hex(6)}", "object": "refund", "amount": 500, "currency": "usd"}
    refund |= {"charge": charge["id"], "status": status}
    event = await notification_stack.deliver("refund.created", refund)
    assert (await notification_stack.wait_settled(event))["status"] == "done"
    assert said in mail_server.read_text()


@pytest.mark.parametrize(
    ("status", "subject"),
    [
        ("needs_response", "A payment of 5.00 USD is disputed"),
        ("warning_needs_response", "A bank asks about a payment of 5.00 USD"),
        ("won", "A disputed payment of 5.00 USD is yours again"),
    ],
)
async def test_a_closed_dispute_asks_for_no_evidence(
    status: str, subject: str, notification_stack: NotificationStack, mail_server: MailServer
) -> None:
    """A dispute that is decided when the mail is sent has no deadline any more."""
    dispute = {"id": f"dp_{token_hex(6)}", "object": "dispute", "amount": 500, "currency": "usd"}
    dispute |= {"status": status, "evidence_details": {"due_by": _SOON}, "reason": "fraudulent"}
    await notification_stack.deliver("charge.dispute.updated", dispute)
    before = build_event("", {})["created"] - 5
    opened = dispute | {"status": "needs_response" if status == "won" else status}
    event = await notification_stack.deliver("charge.dispute.created", opened, created=before)
    assert (await notification_stack.wait_settled(event))["status"] == "done"
    assert mail_server.subjects == [subject]
    assert ("Evidence is due by" in mail_server.read_text()) is (status != "won")


async def test_an_invoice_that_is_not_finalized_is_the_sellers_task(
    notification_stack: NotificationStack, mail_server: MailServer
) -> None:
    """The seller gets Stripe's reason, and the mirror keeps it until the invoice is finalized."""
    error = {
        "type": "invalid_request_error",
        "code": "customer_tax_location_invalid",
        "message": "The customer's location is not recognized.",
    }
    draft = {"status": "draft", "amount_paid": 0, "total": 1200, "number": None}
    invoice = build_invoice(
        notification_stack.customer["id"], **draft, last_finalization_error=error
    )
    event = await notification_stack.deliver("invoice.finalization_failed", invoice)
    assert (await notification_stack.wait_settled(event))["status"] == "done"
    assert mail_server.recipients == [[SELLER]]
    assert error["message"] in mail_server.read_text()
    [row] = await notification_stack.dashboard.list("invoices", f"stripe_id = '{invoice['id']}'")
    assert row["last_finalization_error"] == error | {"param": ""}

    open_ = invoice | {"status": "open", "last_finalization_error": None}
    await notification_stack.deliver("invoice.finalized", open_, created=event["created"] + 1)
    [row] = await notification_stack.dashboard.list("invoices", f"stripe_id = '{invoice['id']}'")
    assert row["last_finalization_error"] is None


def test_a_broken_translation_is_named_at_the_start(tmp_path: Path) -> None:
    """Files of all languages are checked, not only the plain ones."""
    (tmp_path / "refund.de.txt").write_text("{% if %}")
    with pytest.raises(SettingsError, match=r"refund\.de\.txt, line 1"):
        Templates(tmp_path).check(["refund"])


def test_a_template_of_a_region_comes_before_its_language(tmp_path: Path) -> None:
    """`pt-BR` is sought before `pt`, then the file without a language."""
    for tag in ("", ".pt", ".pt-BR"):
        (tmp_path / f"refund{tag}.txt").write_text(f"subject\n\ntag={tag}")
    templates = Templates(tmp_path)
    values = {"app": {"name": "Acme", "url": ""}, "amount": 1, "currency": "eur"}
    shown = [templates.render("refund", values, tag).text for tag in ("pt-BR", "pt-PT", "fr", "")]
    assert shown == ["tag=.pt-BR\n", "tag=.pt\n", "tag=\n", "tag=\n"]
