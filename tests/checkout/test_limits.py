"""Limits hold for a purchase as a whole, and for all that a buyer has bought."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gateway.dev.gateway_process import GatewayProcess
from tests.checkout.conftest import MakePrice
from tests.dashboard import Dashboard
from tests.frontend import Frontend, User
from tests.problem import read_problem
from tests.shop import SUCCESS, Shop, build_order
from tests.stripe_account import StripeAccount


async def _line_items(account: StripeAccount, answer: httpx.Response) -> list[tuple[str, int]]:
    assert answer.status_code == 200, answer.text
    items = await account.list(f"checkout/sessions/{answer.json()['id']}/line_items")
    return [(item["price"]["id"], item["quantity"]) for item in items]


async def _refuse_second(shop: Shop, user: User, *prices: str, **members: Any) -> None:
    answer = await shop.post("/checkout", user, build_order(*prices, **members))
    document = read_problem(answer, 409, "already-bought")
    assert document["data"]["items.0.price"]["code"] == "already_bought"


async def test_a_maximum_holds_for_all_lines_together(
    user: User, shop: Shop, account: StripeAccount, make_price: MakePrice
) -> None:
    """Twenty lines of one are twenty; the line that goes too far is named."""
    price = await make_price("", max_quantity="2")
    answer = await shop.post("/checkout", user, build_order(*[price] * 20))
    data = read_problem(answer, 400)["data"]
    assert data["items.2.quantity"]["code"] == "quantity_not_sold"
    allowed = await shop.post("/checkout", user, build_order(price, price))
    assert await _line_items(account, allowed) == [(price, 2)]


async def test_a_price_is_one_by_either_name(
    user: User, shop: Shop, account: StripeAccount
) -> None:
    """Lookup key and id name the same price, so their quantities count together."""
    product = await account.create("products", name="Ticket")
    price = await account.create(
        "prices",
        product=product["id"],
        currency="usd",
        unit_amount=700,
        lookup_key=f"ticket_{product['id']}",
        **{"metadata[checkout_max_quantity]": 1},
    )
    await account.wait_delivered()
    order = build_order(price["id"], price["lookup_key"])
    data = read_problem(await shop.post("/checkout", user, order), 400)["data"]
    assert data["items.1.quantity"]["code"] == "quantity_not_sold"


async def test_a_minimum_holds_for_all_lines_together(
    user: User, shop: Shop, account: StripeAccount, make_price: MakePrice
) -> None:
    """Two lines of one reach a minimum of two."""
    price = await make_price("", min_quantity="2")
    read_problem(await shop.post("/checkout", user, build_order(price)), 400)
    allowed = await shop.post("/checkout", user, build_order(price, price))
    assert await _line_items(account, allowed) == [(price, 2)]


async def test_the_page_changes_a_quantity_within_the_bounds(
    user: User, shop: Shop, account: StripeAccount, make_price: MakePrice
) -> None:
    """However many lines name a price, Stripe's page has one, with the bounds of the price."""
    price = await make_price(adjustable="true", max_quantity="3")
    answer = await shop.post("/checkout", user, build_order(price, price))
    items = await account.list(f"checkout/sessions/{answer.json()['id']}/line_items")
    assert [item["adjustable_quantity"] for item in items] == [
        {"enabled": True, "minimum": 1, "maximum": 3}
    ]


@pytest.mark.parametrize("delayed", [False, True])
async def test_what_is_sold_once_is_not_sold_again(
    delayed: bool,
    user: User,
    shop: Shop,
    account: StripeAccount,
    frontend: Frontend,
    make_price: MakePrice,
) -> None:
    """Neither when it is paid nor while a bank debit is under way; to others it is sold."""
    price = await make_price("", once_per_buyer="true")
    session = await shop.check_out(user, price)
    await shop.press(session["url"], outcome="async" if delayed else "pay", card="4242")
    await _refuse_second(shop, user, price)
    await account.wait_delivered()
    await _refuse_second(shop, user, price)
    await shop.check_out(await frontend.sign_up(), price)


async def test_what_the_bank_did_not_pay_may_be_bought_again(
    user: User, shop: Shop, account: StripeAccount, make_price: MakePrice
) -> None:
    """A debit that fails leaves nothing bought."""
    price = await make_price("", once_per_buyer="true")
    session = await shop.check_out(user, price)
    await shop.press(session["url"], outcome="async")
    await shop.press(session["url"], outcome="bank_refuses")
    await account.wait_delivered()
    await shop.check_out(user, price)


async def test_what_was_given_back_may_be_bought_again(
    user: User, shop: Shop, account: StripeAccount, frontend: Frontend, make_price: MakePrice
) -> None:
    """A refund in full ends it, a partial one does not."""
    price = await make_price("", once_per_buyer="true")
    await shop.pay(await shop.check_out(user, price))
    await account.wait_delivered()
    [payment] = await frontend.list_records("payments", token=user.token)
    await account.create("refunds", payment_intent=payment["stripe_id"], amount=100)
    await account.wait_delivered()
    await _refuse_second(shop, user, price)
    await account.create("refunds", payment_intent=payment["stripe_id"])
    await account.wait_delivered()
    await shop.pay(await shop.check_out(user, price))
    await _refuse_second(shop, user, price)


async def test_another_price_of_the_product_is_the_same_thing(
    user: User, shop: Shop, account: StripeAccount
) -> None:
    """A new price of a bought product does not allow a second purchase."""
    product = await account.create(
        "products", name="Forever", **{"metadata[checkout_once_per_buyer]": "true"}
    )
    old, new = [
        await account.create("prices", product=product["id"], currency="usd", unit_amount=amount)
        for amount in (700, 900)
    ]
    await account.wait_delivered()
    both = await shop.post("/checkout", user, build_order(old["id"], new["id"]))
    assert read_problem(both, 409)["data"]["items.1.price"]["code"] == "already_bought"
    await shop.pay(await shop.check_out(user, old["id"]))
    await _refuse_second(shop, user, new["id"])


async def test_what_came_with_a_subscription_counts(
    user: User, shop: Shop, account: StripeAccount, make_price: MakePrice
) -> None:
    """Bought beside a subscription, it is bought."""
    price = await make_price("", once_per_buyer="true")
    await shop.pay(await shop.check_out(user, price, "pro_monthly"))
    await account.wait_delivered()
    await _refuse_second(shop, user, price)


@pytest.mark.parametrize("keys", [("", ""), ("first", "second")])
async def test_two_pages_sell_it_once(
    keys: tuple[str, str],
    user: User,
    shop: Shop,
    account: StripeAccount,
    make_price: MakePrice,
) -> None:
    """Of two requests at the same time one page stays open, also with two Idempotency-Keys."""
    order = build_order(await make_price("", once_per_buyer="true"))
    answers = await asyncio.gather(*(shop.post("/checkout", user, order, key=key) for key in keys))
    ids = {answer.json()["id"] for answer in answers}
    states = [(await account.read(f"checkout/sessions/{each}"))["status"] for each in ids]
    assert states.count("open") == 1
    assert len(ids) == len(set(keys))


async def test_the_demo_sells_lifetime_once(user: User, shop: Shop, account: StripeAccount) -> None:
    """The example catalogue shows the term."""
    await shop.pay(await shop.check_out(user, "lifetime"))
    await account.wait_delivered()
    await _refuse_second(shop, user, "lifetime")


async def test_the_plan_file_can_say_it(
    user: User,
    account: StripeAccount,
    http: httpx.AsyncClient,
    make_price: MakePrice,
    start_gateway: Callable[..., GatewayProcess],
    tmp_path: Any,
) -> None:
    """The term holds for every place of terms."""
    price = await make_price("")
    file = tmp_path / "plans.toml"
    file.write_text(f"[prices.{price}]\nonce_per_buyer = true\n")
    there = Shop(http, start_gateway(GATEWAY_PRICE_TERMS=str(file)).url)
    await there.pay(await there.check_out(user, price))
    await account.wait_delivered()
    await _refuse_second(there, user, price)


async def test_an_organization_buys_for_itself(
    user: User, shop: Shop, account: StripeAccount, frontend: Frontend, make_price: MakePrice
) -> None:
    """An organization may buy what its owner has bought as a user, once."""
    price = await make_price("", once_per_buyer="true")
    made = await frontend.call(
        "POST", "/api/collections/organizations/records", token=user.token, body={"name": "Acme"}
    )
    await shop.pay(await shop.check_out(user, price))
    order = build_order(price, organization=made["id"])
    answer = await shop.post("/checkout", user, order)
    assert answer.status_code == 200, answer.text
    await shop.press(answer.json()["url"], outcome="pay", card="4242", email=user.email)
    await account.wait_delivered()
    await _refuse_second(shop, user, price, organization=made["id"])


async def test_a_guests_purchase_counts_once_it_is_theirs(
    user: User,
    account: StripeAccount,
    dashboard: Dashboard,
    http: httpx.AsyncClient,
    make_price: MakePrice,
    start_gateway: Callable[..., GatewayProcess],
) -> None:
    """A guest can buy it again; the user who verifies the address has bought it."""
    shop = Shop(http, start_gateway(GATEWAY_GUEST_CHECKOUT="true").url)
    price = await make_price("", once_per_buyer="true")
    session = (await shop.post("/checkout", None, build_order(price))).json()
    paid = await shop.press(session["url"], outcome="pay", card="4242", email=user.email)
    assert paid.headers["location"] == SUCCESS
    await account.wait_delivered()
    path = f"/api/collections/users/records/{user.id}"
    await dashboard.call("PATCH", path, {"verified": True})
    await _refuse_second(shop, user, price)


async def test_a_price_can_be_kept_from_guests(
    user: User,
    http: httpx.AsyncClient,
    make_price: MakePrice,
    start_gateway: Callable[..., GatewayProcess],
) -> None:
    """Then it is sold to who has signed in only."""
    shop = Shop(http, start_gateway(GATEWAY_GUEST_CHECKOUT="true").url)
    price = await make_price("", guests="false")
    document = read_problem(await shop.post("/checkout", None, build_order(price)), 401)
    assert document["data"]["items.0.price"]["code"] == "sign_in_required"
    await shop.check_out(user, price)


@pytest.mark.parametrize(("more", "status"), [({}, 400), ({"max_quantity": "2"}, 200)])
async def test_what_is_sold_once_is_one(
    more: dict[str, str], status: int, user: User, shop: Shop, make_price: MakePrice
) -> None:
    """Two in one purchase are two purchases, unless the seller says how many are sold."""
    price = await make_price("", once_per_buyer="true", **more)
    for items in ([{"price": price, "quantity": 2}], [{"price": price, "quantity": 1}] * 2):
        order = build_order(price) | {"items": items}
        answer = await shop.post("/checkout", user, order)
        assert answer.status_code == status, answer.text
