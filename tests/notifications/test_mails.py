"""Ready-made mails: each kind, what it says, to whom; none unless it is asked for."""

from collections.abc import Callable

import pytest

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.stack import Stack
from tests.deadline import eventually
from tests.delivery import Json, build_subscription
from tests.notifications.conftest import OpenNotificationStack
from tests.notifications.mail_server import MailServer
from tests.notifications.notification_stack import (
    SELLER,
    NotificationStack,
    build_invoice,
    build_session,
)

_OWED = {"status": "open", "amount_paid": 0, "amount_remaining": 1200}


def _build(kind: str, customer: str) -> tuple[str, Json]:
    """An event of each kind: type and object."""
    refund = {"id": f"re_{customer}", "object": "refund", "amount": 500, "currency": "jpy"}
    dispute = {"id": f"dp_{customer}", "object": "dispute", "amount": 99, "currency": "usd"}
    return {
        "payment_failed": ("invoice.payment_failed", build_invoice(customer, **_OWED)),
        "action_required": ("invoice.payment_action_required", build_invoice(customer, **_OWED)),
        "trial_ending": (
            "customer.subscription.trial_will_end",
            build_subscription(customer, status="trialing", trial_end=1_800_000_000),
        ),
        "renewal": (
            "invoice.upcoming",
            build_invoice(customer, next_payment_attempt=1_800_000_000) | {"id": None},
        ),
        "receipt": ("invoice.paid", build_invoice(customer)),
        "receipt of a payment": ("checkout.session.completed", build_session(customer)),
        "refund": ("refund.created", refund | {"charge": f"ch_{customer}", "status": "succeeded"}),
        "dispute": (
            "charge.dispute.created",
            dispute | {"charge": f"ch_{customer}", "reason": "fraudulent", "status": "lost"},
        ),
    }[kind]


@pytest.mark.parametrize(
    ("kind", "subject", "link"),
    [
        ("payment_failed", "Your payment of 12.00 EUR to Acme failed", "invoice.stripe.com"),
        ("action_required", "Confirm your payment of 12.00 EUR to Acme", "invoice.stripe.com"),
        ("trial_ending", "Your trial of Acme ends on 15 January 2027", ""),
        ("renewal", "Your subscription to Acme renews on 15 January 2027", ""),
        ("receipt", "Your receipt from Acme: SHOP-0001", "invoice.stripe.com"),
        ("receipt of a payment", "Your receipt from Acme", ""),
        ("refund", "Your refund of 500 JPY from Acme", ""),
        ("dispute", "A payment of 0.99 USD is disputed", "dashboard.stripe.com/test/disputes/dp_"),
    ],
)
async def test_each_kind_is_mailed_once(
    kind: str,
    subject: str,
    link: str,
    notification_stack: NotificationStack,
    mail_server: MailServer,
) -> None:
    """The event brings one mail, as text and HTML, to the payer, or of a dispute to the seller."""
    charge = {
        "id": f"ch_{notification_stack.customer['id']}",
        "object": "charge",
        "status": "succeeded",
    }
    await notification_stack.deliver(
        "charge.succeeded", charge | {"customer": notification_stack.customer["id"]}
    )
    event = await notification_stack.deliver(*_build(kind, notification_stack.customer["id"]))
    row = await notification_stack.wait_settled(event)
    assert (row["status"], row["handler"], row["attempts"]) == ("done", "mail", 1)
    assert (await notification_stack.sender.send(event)).json()["outcome"] == "duplicate"

    assert mail_server.subjects == [subject]
    to = SELLER if kind == "dispute" else notification_stack.user.email
    assert mail_server.recipients == [[to]]
    mail = mail_server.mails[0]
    assert (mail["To"], mail["From"]) == (to, "The Shop <billing@shop.test>")
    text, html = mail_server.read_bodies()
    assert link in text
    assert link in html
    assert "None" not in text + html


async def test_nothing_is_sent_unless_asked_for(
    stack: Stack,
    open_notification_stack: OpenNotificationStack,
    start_gateway: Callable[..., GatewayProcess],
    mail_settings: dict[str, str],
) -> None:
    """Only kinds in GATEWAY_EMAIL_NOTIFICATIONS are written to the queue."""
    off = await open_notification_stack(stack.gateway)
    assert await off.find(await off.pay()) == []

    some = await open_notification_stack(
        start_gateway(**mail_settings | {"GATEWAY_EMAIL_NOTIFICATIONS": "refund"})
    )
    assert await some.find(await some.pay()) == []


@pytest.mark.parametrize(
    ("type", "item"),
    [
        ("invoice.paid", build_invoice("cus_x", amount_paid=0)),
        ("invoice.payment_succeeded", build_invoice("cus_x")),
        ("checkout.session.completed", build_session("cus_x", payment_status="unpaid")),
        ("checkout.session.completed", build_session("cus_x", invoice="in_1")),
        ("checkout.session.completed", build_session("cus_x", mode="subscription")),
    ],
    ids=["nothing paid", "told twice", "not yet paid", "has an invoice", "subscription"],
)
async def test_one_purchase_is_one_receipt(
    type: str, item: Json, notification_stack: NotificationStack
) -> None:
    """A second event of a payment, and a payment of 0, bring no receipt."""
    assert await notification_stack.find(await notification_stack.deliver(type, item)) == []


async def test_old_events_and_foreign_ones_are_not_told(
    notification_stack: NotificationStack,
) -> None:
    """Events from before the setting's hours, or of a connected account, bring no mail."""
    invoice = build_invoice(notification_stack.customer["id"])
    old = await notification_stack.deliver("invoice.paid", invoice, created=1_700_000_000)
    foreign = await notification_stack.deliver("invoice.paid", invoice, account="acct_1")
    assert await notification_stack.find(old) + await notification_stack.find(foreign) == []


async def test_a_replay_tells_nothing(
    notification_stack: NotificationStack,
    stack: Stack,
    open_notification_stack: OpenNotificationStack,
    mail_server: MailServer,
) -> None:
    """A replay sends no mail again, and none that was switched off."""
    paid = await notification_stack.pay()
    await notification_stack.wait_settled(paid)
    quiet = await (await open_notification_stack(stack.gateway)).pay()

    answer = await notification_stack.sender.http.post(
        f"{notification_stack.gateway.url}/admin/events/replay",
        json={"ids": [paid["id"], quiet["id"]]},
        headers={"Authorization": f"Bearer {notification_stack.dashboard.token}"},
    )
    assert answer.json()["outcomes"] == {"applied": 2}, answer.text
    assert [row["attempts"] for row in await notification_stack.find(paid)] == [1]
    assert await notification_stack.find(quiet) == []
    assert len(mail_server.mails) == 1


async def test_what_has_moved_on_is_not_told(
    notification_stack: NotificationStack, mail_server: MailServer
) -> None:
    """A failure that arrives after its invoice was paid is skipped, and says why."""
    paid = await notification_stack.pay()
    invoice = paid["data"]["object"]
    await notification_stack.wait_settled(paid)
    before = paid["created"] - 5
    failed = invoice | {"status": "open", "amount_remaining": 1200}
    event = await notification_stack.deliver("invoice.payment_failed", failed, created=before)
    row = await notification_stack.wait_settled(event)
    assert (row["status"], row["error"]) == ("cancelled", "outdated")
    assert mail_server.subjects == ["Your receipt from Acme: SHOP-0001"]


async def test_a_guest_is_told_at_the_address_of_the_purchase(
    notification_stack: NotificationStack, mail_server: MailServer
) -> None:
    """Without a customer, the address that the buyer gave at Checkout is used."""
    guest = {"customer_details": {"email": "guest@example.org"}}
    event = await notification_stack.deliver(
        "checkout.session.completed", build_session("", **guest)
    )
    assert (await notification_stack.wait_settled(event))["status"] == "done"
    assert mail_server.recipients == [["guest@example.org"]]


async def test_a_refund_waits_for_its_address(
    notification_stack: NotificationStack, mail_server: MailServer
) -> None:
    """A refund that arrives before its charge is told when the payer is known, at the next try."""
    customer = notification_stack.customer["id"]
    event = await notification_stack.deliver(*_build("refund", customer))

    async def waits() -> bool:
        return [row["error"] for row in await notification_stack.find(event)] == ["no address"]

    await eventually(waits)
    charge = {"id": f"ch_{customer}", "object": "charge", "customer": customer}
    await notification_stack.deliver("charge.succeeded", charge)
    await notification_stack.make_due(event)
    assert (await notification_stack.wait_settled(event))["status"] == "done"
    assert mail_server.recipients == [[notification_stack.user.email]]
