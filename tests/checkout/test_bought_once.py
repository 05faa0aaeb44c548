"""Purchases that count for prices sold once per buyer: those that give entitlements."""

import httpx

from tests.checkout.conftest import MakePrice
from tests.delivery import Json, Sender, build_event
from tests.frontend import Frontend, User
from tests.problem import read_problem
from tests.shop import Shop, build_order
from tests.stripe_account import StripeAccount


async def _order(shop: Shop, user: User, price: str) -> httpx.Response:
    return await shop.post("/checkout", user, build_order(price))


async def _tell(sender: Sender, type: str, item: Json, later: int) -> None:
    created = build_event("", {})["created"] + later
    answer = await sender.send(build_event(type, item, created=created))
    assert answer.status_code == 200, answer.text


async def test_a_refund_counts_until_it_fails(
    user: User,
    shop: Shop,
    account: StripeAccount,
    sender: Sender,
    frontend: Frontend,
    make_price: MakePrice,
) -> None:
    """Told by its own events alone, a refund frees the price, and takes it again when it fails."""
    price = await make_price("", once_per_buyer="true")
    await shop.pay(await shop.check_out(user, price))
    await account.wait_delivered()
    [payment] = await frontend.list_records("payments", token=user.token)
    refund = {"id": f"re_{user.id}", "object": "refund", "amount": 700, "status": "succeeded"}
    refund |= {"payment_intent": payment["stripe_id"]}
    await _tell(sender, "refund.created", refund, 1)
    assert (await _order(shop, user, price)).status_code == 200
    await _tell(sender, "refund.failed", refund | {"status": "failed"}, 2)
    read_problem(await _order(shop, user, price), 409, "already-bought")


async def test_what_an_invoice_sold_is_not_sold_again(
    user: User, shop: Shop, account: StripeAccount, frontend: Frontend, make_price: MakePrice
) -> None:
    """An invoice that the seller made by hand has sold it as well."""
    price = await make_price("", once_per_buyer="true")
    await shop.check_out(user, "lifetime")
    await account.wait_delivered()
    [row] = await frontend.list_records("customers", token=user.token)
    customer = {"customer": row["stripe_id"]}
    await account.create("invoiceitems", **customer, **{"pricing[price]": price})
    invoice = await account.create("invoices", **customer, pending_invoice_items_behavior="include")
    path = f"invoices/{invoice['id']}"
    await account.create(f"{path}/finalize")
    assert (await _order(shop, user, price)).status_code == 200
    await account.create(f"{path}/pay", paid_out_of_band="true")
    await account.wait_delivered()
    read_problem(await _order(shop, user, price), 409, "already-bought")
