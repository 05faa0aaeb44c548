"""Which refunds take a subscription's features: what was paid, and for what."""

from typing import Any

import pytest

from tests.entitlements.billing import Billing
from tests.entitlements.purchases import DAY, Purchases, write_time


@pytest.fixture
def billing(purchases: Purchases) -> Billing:
    """Bills the user's subscriptions."""
    return Billing(purchases)


async def _change_to_year(billing: Billing, *, proration: bool = False) -> tuple[Any, Any]:
    """A month that is changed to a year on its tenth day; returns both invoices."""
    purchases, subscription = billing.purchases, await billing.subscribe("pro")
    [item] = subscription["items"]["data"]
    month = await billing.bill(subscription, billing.line(item), reason="subscription_create")
    changed = purchases.now + 10 * DAY
    credit = billing.line(item, -660, proration=True)
    price = item["price"] | {"id": "price_year"}
    year_item = await billing.move(subscription, changed, 365, price=price)
    year = await billing.bill(
        subscription,
        credit | {"period": {"start": changed, "end": purchases.end}},
        billing.line(year_item, 10000, proration=proration),
        reason="subscription_update",
        created=changed,
    )
    return month, year


@pytest.mark.parametrize("proration", [False, True], ids=["classic", "as a proration"])
async def test_a_year_stays_when_the_month_before_is_refunded(
    billing: Billing, proration: bool
) -> None:
    """The month's invoice paid for a period that is over; the year's paid for this one."""
    month, year = await _change_to_year(billing, proration=proration)
    await billing.refund(month)
    assert await billing.is_active()
    await billing.refund(year)
    assert not await billing.is_active()


async def test_a_free_period_after_a_refunded_one(billing: Billing) -> None:
    """A period that a coupon made free is not refunded, whatever became of the one before."""
    subscription = await billing.subscribe("pro")
    [item] = subscription["items"]["data"]
    first = await billing.bill(subscription, billing.line(item), reason="subscription_create")
    await billing.refund(first)
    assert not await billing.is_active()
    item = await billing.move(subscription, billing.purchases.end, 30)
    await billing.bill(subscription, billing.line(item), payments=())
    assert await billing.is_active()


async def test_items_are_refunded_one_by_one(billing: Billing) -> None:
    """An invoice takes the items that it billed, and leaves those of another period."""
    subscription = await billing.subscribe("pro", "archive")
    monthly, yearly = subscription["items"]["data"]
    yearly["current_period_end"] = billing.purchases.now + 365 * DAY
    await billing.purchases.tell("customer.subscription.updated", subscription, billing.later())
    first = await billing.bill(
        subscription, billing.line(monthly), billing.line(yearly, 9000), reason="quote_accept"
    )
    monthly = await billing.move(subscription, billing.purchases.end, 30)
    second = await billing.bill(subscription, billing.line(monthly))
    await billing.refund(second)
    assert (await billing.is_active("pro"), await billing.is_active("archive")) == (False, True)
    await billing.refund(first)
    assert not await billing.is_active("archive")


@pytest.mark.parametrize(
    ("held", "lasts"),
    [({}, True), ({"quantity": 3}, False), ({"price": {"id": "price_larger"}}, False)],
    ids=["as paid", "more than was paid", "another price than was paid"],
)
async def test_a_paid_year_outlasts_an_unpaid_month(
    billing: Billing, held: dict[str, Any], lasts: bool
) -> None:
    """Past due for the month of a monthly item, a yearly item lasts until its own paid end."""
    purchases, subscription = billing.purchases, await billing.subscribe("pro", "archive")
    monthly, yearly = subscription["items"]["data"]
    yearly["current_period_end"] = purchases.now + 365 * DAY
    await billing.bill(subscription, billing.line(monthly), billing.line(yearly, 9000))
    product = yearly["price"]["product"]
    yearly |= held
    yearly["price"] |= {"product": product}
    subscription["status"] = "past_due"
    await billing.move(subscription, purchases.end, 30)
    grace, year = purchases.end + 7 * DAY, purchases.now + 365 * DAY
    assert await purchases.read_end("pro") == write_time(grace)
    archive = await purchases.read_end("archive")
    # No open invoice is known: the grace days count from the item's own period.
    assert archive == write_time(year if lasts else purchases.now + 7 * DAY)


async def test_every_payment_of_an_invoice_must_go_back(billing: Billing) -> None:
    """Of an invoice that two payments paid, one refund is a part."""
    subscription = await billing.subscribe("pro")
    [item] = subscription["items"]["data"]
    bill = await billing.bill(subscription, billing.line(item), payments=(600, 400))
    await billing.give_back(bill.charges[0])
    assert await billing.is_active()
    await billing.give_back(bill.charges[1])
    assert not await billing.is_active()


async def test_a_part_paid_elsewhere_is_kept(billing: Billing) -> None:
    """A part paid out of band is not refunded with the card payment; a credit note refunds it."""
    subscription = await billing.subscribe("pro")
    [item] = subscription["items"]["data"]
    bill = await billing.bill(subscription, billing.line(item), payments=(600,), amount_paid=1000)
    await billing.refund(bill)
    assert await billing.is_active()
    note = {
        "id": f"cn_{billing.purchases.user}",
        "object": "credit_note",
        "customer": billing.purchases.customer["id"],
        "invoice": bill.invoice["id"],
        "status": "issued",
        "total": 400,
        "out_of_band_amount": 400,
        "refunds": [],
    }
    await billing.purchases.tell("credit_note.created", note)
    assert not await billing.is_active()


async def test_a_credit_to_the_balance_is_no_refund(billing: Billing) -> None:
    """A credit note that only credits the customer's balance gives no money back."""
    subscription = await billing.subscribe("pro")
    [item] = subscription["items"]["data"]
    bill = await billing.bill(subscription, billing.line(item))
    note = {
        "id": f"cn_{billing.purchases.user}",
        "object": "credit_note",
        "customer": billing.purchases.customer["id"],
        "invoice": bill.invoice["id"],
        "status": "issued",
        "total": 1000,
        "customer_balance_transaction": "cbtxn_1",
    }
    await billing.purchases.tell("credit_note.created", note)
    assert await billing.is_active()


@pytest.mark.parametrize("reason", ["manual", "subscription_threshold", "subscription_update"])
async def test_a_refunded_fee_takes_no_period(billing: Billing, reason: str) -> None:
    """A fee, a proration or usage on an invoice of its own pays for no period."""
    subscription = await billing.subscribe("pro")
    [item] = subscription["items"]["data"]
    await billing.bill(subscription, billing.line(item), reason="subscription_create")
    proration = billing.line(item, 500, proration=True)
    bill = await billing.bill(subscription, billing.other_line(900), proration, reason=reason)
    await billing.refund(bill)
    assert await billing.is_active()


async def test_a_trial_with_a_refunded_fee(billing: Billing) -> None:
    """The trial's own line was free, so it stays when the fee beside it goes back."""
    subscription = await billing.subscribe("pro", status="trialing")
    [item] = subscription["items"]["data"]
    fee = billing.other_line(900)
    trial = billing.line(item, 0)
    bill = await billing.bill(subscription, trial, fee, reason="subscription_create")
    await billing.refund(bill)
    assert await billing.is_active()


async def test_a_free_fee_beside_a_refunded_period(billing: Billing) -> None:
    """A fully discounted line is not refunded with the rest of its invoice."""
    subscription = await billing.subscribe("pro")
    [item] = subscription["items"]["data"]
    price = await billing.purchases.add_price(await billing.purchases.add_product(features="gift"))
    pricing = {"price_details": {"price": price, "product": None}}
    free = billing.other_line(
        500, pricing=pricing, discount_amounts=[{"amount": 500, "discount": "di_1"}]
    )
    bill = await billing.bill(subscription, billing.line(item), free, payments=(1000,))
    await billing.refund(bill)
    assert (await billing.is_active("pro"), await billing.is_active("gift")) == (False, True)


async def test_refunded_usage_takes_no_period(billing: Billing) -> None:
    """A metered item is billed for the period before: to refund that takes nothing."""
    subscription = await billing.subscribe("pro")
    [item] = subscription["items"]["data"]
    before = {"start": billing.purchases.now - 30 * DAY, "end": billing.purchases.now}
    bill = await billing.bill(subscription, billing.line(item, period=before))
    await billing.refund(bill)
    assert await billing.is_active()


async def test_a_refund_of_a_payment_without_a_charge(billing: Billing) -> None:
    """Without a mirrored charge, the amount of the invoice's payment is compared."""
    subscription = await billing.subscribe("pro")
    [item] = subscription["items"]["data"]
    bill = await billing.bill(subscription, billing.line(item), payments=())
    payment = {"type": "payment_intent", "payment_intent": f"pi_{billing.purchases.user}"}
    paid = {"amount_paid": 1000, "status": "paid", "payment": payment}
    row = {"id": f"inpay_{billing.purchases.user}", "object": "invoice_payment", **paid}
    await billing.purchases.tell("invoice_payment.paid", row | {"invoice": bill.invoice["id"]})
    invoice = bill.invoice | {"amount_paid": 1000}
    await billing.purchases.tell("invoice.updated", invoice, billing.later())
    intent = {
        "id": payment["payment_intent"],
        "object": "payment_intent",
        "customer": billing.purchases.customer["id"],
        "status": "succeeded",
    }
    await billing.purchases.tell("payment_intent.succeeded", intent)
    refund = {"charge": None, "payment_intent": intent["id"], "id": "", "amount": 1000}
    await billing.tell_refund(refund | {"amount": 400}, "refund.created")
    assert await billing.is_active()
    await billing.tell_refund(refund | {"amount": 600}, "refund.created")
    assert not await billing.is_active()


async def test_an_item_that_a_coupon_made_free(billing: Billing) -> None:
    """Of two items on one refunded invoice, only the one that cost something is taken."""
    subscription = await billing.subscribe("pro", "gift")
    pro, gift = subscription["items"]["data"]
    free = billing.line(gift, 500, discount_amounts=[{"amount": 500, "discount": "di_1"}])
    bill = await billing.bill(subscription, billing.line(pro), free, payments=(1000,))
    await billing.refund(bill)
    assert (await billing.is_active("pro"), await billing.is_active("gift")) == (False, True)


async def test_a_first_period_up_to_an_anchor(billing: Billing) -> None:
    """A subscription begun in the middle of a cycle pays its first days by a proration."""
    subscription = await billing.subscribe("pro")
    [item] = subscription["items"]["data"]
    line = billing.line(item, 300, proration=True)
    bill = await billing.bill(subscription, line, reason="subscription_create")
    await billing.refund(bill)
    assert not await billing.is_active()


async def test_a_refund_that_only_its_own_events_tell(billing: Billing) -> None:
    """A refund counts from its own event, pending or not, until it fails or is canceled."""
    subscription = await billing.subscribe("pro")
    [item] = subscription["items"]["data"]
    bill = await billing.bill(subscription, billing.line(item))
    [charge] = bill.charges
    refund = await billing.tell_refund(charge, "refund.created", status="pending", amount=999)
    assert await billing.is_active()
    rest = await billing.tell_refund(charge, "refund.created", status="pending", amount=1)
    assert not await billing.is_active()
    await billing.purchases.tell("refund.updated", rest | {"status": "canceled"}, billing.later())
    assert await billing.is_active()
    await billing.tell_refund(charge, "refund.created", amount=1)
    assert not await billing.is_active()
    await billing.purchases.tell("refund.failed", refund | {"status": "failed"}, billing.later())
    assert await billing.is_active()


async def test_a_failed_refund_gives_the_period_back(billing: Billing) -> None:
    """It does so although no event says that the charge is no longer refunded."""
    subscription = await billing.subscribe("pro")
    [item] = subscription["items"]["data"]
    bill = await billing.bill(subscription, billing.line(item))
    await billing.refund(bill)
    refund = await billing.tell_refund(bill.charges[0], "refund.created")
    assert not await billing.is_active()
    await billing.purchases.tell("refund.failed", refund | {"status": "failed"}, billing.later())
    assert await billing.is_active()
    await billing.tell_refund(bill.charges[0], "refund.created")
    assert not await billing.is_active()


async def test_a_failed_refund_of_a_single_payment(billing: Billing) -> None:
    """A one-time purchase is restored as well."""
    purchases = billing.purchases
    price = await purchases.add_price(await purchases.add_product(features="pro"))
    session = purchases.build_session(price, amount_total=900)
    await purchases.tell("checkout.session.completed", session)
    charge = purchases.build_charge(session["payment_intent"], amount=900)
    await purchases.tell("charge.succeeded", charge)
    await billing.give_back(charge)
    assert not await billing.is_active()
    await billing.tell_refund(charge, "refund.failed", status="failed")
    assert await billing.is_active()


async def test_disputes_of_a_part(billing: Billing) -> None:
    """A dispute takes what it is about: with a refund of the rest, that is all."""
    subscription = await billing.subscribe("pro")
    [item] = subscription["items"]["data"]
    bill = await billing.bill(subscription, billing.line(item))
    [charge] = bill.charges
    dispute = await billing.dispute(charge, amount=700)
    assert await billing.is_active()
    await billing.give_back(charge, 300)
    assert not await billing.is_active()
    won = dispute | {"status": "won"}
    await billing.purchases.tell("charge.dispute.closed", won, billing.later())
    assert await billing.is_active()


def _old_shape(line: dict[str, Any]) -> dict[str, Any]:
    """A line as API versions before basil show it."""
    details = line.pop("parent")["subscription_item_details"]
    return line | details | {"type": "subscription", "price": {"id": "price_1"}}


async def test_lines_before_basil(billing: Billing) -> None:
    """The line has the period, item and proration, the invoice the payment."""
    subscription = await billing.subscribe("pro")
    [item] = subscription["items"]["data"]
    regular = _old_shape(billing.line(item))
    proration = _old_shape(billing.line(item, 200, proration=True))
    old = {"parent": None, "subscription": subscription["id"]}
    charges = [
        billing.purchases.build_charge(f"pi_{name}{billing.purchases.user}", amount=amount)
        for name, amount in (("1", 1000), ("2", 200))
    ]
    for line, charge in zip((regular, proration), charges, strict=True):
        paid = {"payment_intent": charge["payment_intent"], "amount_paid": charge["amount"]}
        invoice = (await billing.bill(subscription, line, payments=())).invoice
        await billing.purchases.tell("invoice.paid", invoice | old | paid, billing.later())
        await billing.purchases.tell("charge.succeeded", charge)
    await billing.give_back(charges[1])
    assert await billing.is_active()
    await billing.give_back(charges[0])
    assert not await billing.is_active()


async def test_lines_mirrored_before_tell_less(billing: Billing) -> None:
    """Without a period in the line, an invoice paid for the period that it was made in."""
    subscription = await billing.subscribe("pro")
    [item] = subscription["items"]["data"]
    line = {"amount": 1000, "price": {"id": item["price"]["id"]}}
    month = await billing.bill(subscription, line, reason="subscription_create")
    fee = {"amount": 500, "price": {"id": "price_fee"}}
    other = await billing.bill(subscription, fee, reason="subscription_create")
    await billing.refund(other)
    assert await billing.is_active()
    await billing.refund(month)
    assert not await billing.is_active()
    await billing.move(subscription, billing.purchases.now + DAY, 365)
    assert await billing.is_active()


@pytest.mark.parametrize("proration", [False, True], ids=["classic", "as a proration"])
@pytest.mark.parametrize("refunded", ["month", "year"])
async def test_a_month_within_a_year_that_was_changed(
    billing: Billing, proration: bool, refunded: str
) -> None:
    """After a year was changed to a month, the month's own invoice paid for it, not the year's."""
    purchases, subscription = billing.purchases, await billing.subscribe("pro")
    year_item = await billing.move(subscription, purchases.now, 365)
    year = await billing.bill(
        subscription, billing.line(year_item, 10000), reason="subscription_create"
    )
    changed = purchases.now + 10 * DAY
    price = year_item["price"] | {"id": "price_month"}
    item = await billing.move(subscription, changed, 30, price=price)
    credit = billing.line(year_item, -9700, proration=True)
    await billing.bill(
        subscription,
        credit | {"period": {"start": changed, "end": purchases.now + 365 * DAY}},
        billing.line(item, proration=proration),
        reason="subscription_update",
        payments=(),
    )
    item = await billing.move(subscription, changed + 30 * DAY, 30)
    month = await billing.bill(subscription, billing.line(item), created=changed + 30 * DAY)
    await billing.refund({"month": month, "year": year}[refunded])
    assert await billing.is_active() == (refunded == "year")


async def test_a_month_that_replaced_a_free_year_at_once(billing: Billing) -> None:
    """A free year that begins with the month, and is longer, does not keep the refunded month."""
    subscription = await billing.subscribe("pro")
    [item] = subscription["items"]["data"]
    whole = {"start": billing.purchases.now, "end": billing.purchases.now + 365 * DAY}
    free = billing.line(item, 9000, period=whole, discount_amounts=[{"amount": 9000}])
    await billing.bill(subscription, free, reason="subscription_create", payments=())
    month = await billing.bill(subscription, billing.line(item), reason="subscription_update")
    await billing.refund(month)
    assert not await billing.is_active()


async def test_a_line_that_billing_credits_paid(billing: Billing) -> None:
    """A line paid from billing credits was free, so it stays when the rest goes back."""
    subscription = await billing.subscribe("pro", "gift")
    pro, gift = subscription["items"]["data"]
    used = {"amount": 500, "type": "credit_balance_transaction"}
    free = billing.line(gift, 500, pretax_credit_amounts=[used])
    bill = await billing.bill(subscription, billing.line(pro), free, payments=(1000,))
    await billing.refund(bill)
    assert (await billing.is_active("pro"), await billing.is_active("gift")) == (False, True)
