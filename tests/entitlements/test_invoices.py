"""Entitlements of manual invoices, and their end."""

import pytest

from tests.delivery import Json
from tests.entitlements.billing import Billing
from tests.entitlements.purchases import DAY, Purchases, write_time

FOREVER = "9999-12-31 23:59:59.999Z"


@pytest.fixture
def billing(purchases: Purchases) -> Billing:
    """Bills the user."""
    return Billing(purchases)


async def _sell(billing: Billing, quantity: int = 1, **metadata: str) -> tuple[str, Json]:
    """Offer something; returns its price, and a line that sells it."""
    price = await billing.purchases.add_price(await billing.purchases.add_product(**metadata))
    pricing = {"price_details": {"price": price, "product": None}}
    return price, billing.other_line(900, pricing=pricing, quantity=quantity)


NOTHING = {"id": ""}


async def test_a_paid_invoice_gives_what_it_sold(billing: Billing) -> None:
    """An invoice gives features once it is paid, also in cash, times the line's quantity."""
    _, line = await _sell(billing, 3, features="pro", limit_seats="2")
    is_open = {"status": "open", "amount_paid": 0, "payments": ()}
    bill = await billing.bill(NOTHING, line, reason="manual", **is_open)
    assert await billing.purchases.read() == {}
    paid = bill.invoice | {"status": "paid", "amount_paid": 900}
    await billing.purchases.tell("invoice.paid", paid, billing.later())
    rows = await billing.purchases.read()
    assert {row["active_until"] for row in rows.values()} == {FOREVER}
    assert (rows["seats"]["limit"], rows["pro"]["sources"]) == (6, [bill.invoice["id"]])


async def test_a_refund_takes_what_an_invoice_sold(billing: Billing) -> None:
    """Only when all payments of the invoice went back."""
    _, line = await _sell(billing, features="pro")
    bill = await billing.bill(NOTHING, line, payments=(500, 400), reason="manual")
    await billing.give_back(bill.charges[0])
    assert await billing.is_active()
    await billing.give_back(bill.charges[1])
    assert not await billing.is_active()


async def test_a_pass_from_an_invoice(billing: Billing) -> None:
    """Its days count from when the invoice was paid."""
    _, line = await _sell(billing, features="pro", duration_days="30")
    paid_at = {"paid_at": billing.purchases.now + DAY}
    await billing.bill(NOTHING, line, reason="manual", status_transitions=paid_at)
    assert await billing.purchases.read_end() == write_time(billing.purchases.now + 31 * DAY)


async def test_a_session_and_its_invoice_sell_once(billing: Billing) -> None:
    """Items of the session are not counted again; further lines of its invoice are."""
    purchases = billing.purchases
    price, line = await _sell(billing, limit_seats="5")
    _, other = await _sell(billing, features="extra")
    bill = await billing.bill(NOTHING, line, other, reason="manual")
    assert (await purchases.read())["seats"]["sources"] == [bill.invoice["id"]]
    session = purchases.build_session(price, invoice=bill.invoice["id"])
    await purchases.tell("checkout.session.completed", session)
    rows = await purchases.read()
    assert (rows["seats"]["limit"], rows["seats"]["sources"]) == (5, [session["id"]])
    assert rows["extra"]["sources"] == [bill.invoice["id"]]


async def test_what_no_line_sells(billing: Billing) -> None:
    """A period of a subscription, a proration and a credit give nothing by themselves."""
    subscription = await billing.subscribe("pro", status="canceled")
    [item] = subscription["items"]["data"]
    product = item["price"]["product"]
    pricing = {"price_details": {"price": "price_inline", "product": product}}
    lines = (
        billing.line(item, pricing=pricing),
        billing.line(item, 10, proration=True, pricing=pricing),
        billing.other_line(-5, pricing=pricing),
    )
    await billing.bill(subscription, *lines)
    assert not await billing.is_active()


async def test_a_price_made_for_one_line(billing: Billing) -> None:
    """It is mirrored nowhere, so the line's product says what it gives."""
    product = await billing.purchases.add_product(features="pro")
    pricing = {"price_details": {"price": "price_inline", "product": product}}
    await billing.bill(NOTHING, billing.other_line(10, pricing=pricing), reason="manual")
    assert await billing.purchases.read_end() == FOREVER


async def test_an_offer_that_changes_later(billing: Billing) -> None:
    """A product that gets a feature gives it to those who have paid an invoice for it."""
    product = await billing.purchases.add_product()
    price = await billing.purchases.add_price(product)
    pricing = {"price_details": {"price": price, "product": product}}
    await billing.bill(NOTHING, billing.other_line(10, pricing=pricing), reason="manual")
    changed = billing.purchases.build_product(product, features="late")
    await billing.purchases.tell("product.updated", changed, billing.later())
    assert await billing.is_active("late")
