"""A promotion code that comes with the order: the seller decides whether any is taken."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gateway.dev.gateway_process import GatewayProcess
from tests.checkout.conftest import CountMade, MakePrice
from tests.frontend import Frontend, User
from tests.problem import read_problem
from tests.promotion_codes import make_code
from tests.shop import Shop, build_order
from tests.stripe_account import StripeAccount


async def _read(account: StripeAccount, answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return await account.read(f"checkout/sessions/{answer.json()['id']}")


@pytest.mark.parametrize("interval", ["month", ""])
async def test_a_code_makes_the_purchase_cheaper(
    interval: str,
    user: User,
    shop: Shop,
    account: StripeAccount,
    make_price: MakePrice,
    frontend: Frontend,
) -> None:
    """The session has the discount, however the code is spelled, and what is paid is less."""
    price = await make_price(interval, promotion_codes="true")
    coupon, code = await make_code(account)
    order = build_order(price, promotion_code=code.lower())
    answer = await shop.post("/checkout", user, order)
    session = await _read(account, answer)
    assert (session["amount_subtotal"], session["amount_total"]) == (700, 560)
    await shop.pay(answer.json())
    await account.wait_delivered()
    assert (await account.read(f"coupons/{coupon}"))["times_redeemed"] == 1
    name, amount = ("invoices", "amount_paid") if interval else ("payments", "amount")
    [row] = await frontend.list_records(name, token=user.token)
    assert row[amount] == 560


async def test_without_a_code_the_page_asks_for_one(
    user: User, shop: Shop, account: StripeAccount, make_price: MakePrice
) -> None:
    """With promotion codes allowed, the page takes one too, unless the order has one."""
    price = await make_price("", promotion_codes="true")
    _, code = await make_code(account)
    plain = await _read(account, await shop.post("/checkout", user, build_order(price)))
    order = build_order(price, promotion_code=code)
    given = await _read(account, await shop.post("/checkout", user, order))
    assert (plain["allow_promotion_codes"], given["allow_promotion_codes"]) == (True, None)


@pytest.mark.parametrize("plan", [{}, {"promotion_codes": "true", "coupon": "all"}])
async def test_no_code_is_taken_that_the_seller_takes_none_for(
    plan: dict[str, str],
    user_without_purchase: User,
    shop: Shop,
    account: StripeAccount,
    make_price: MakePrice,
    count_made: CountMade,
) -> None:
    """Neither by default, nor beside a coupon that the seller has chosen."""
    price = await make_price("", **plan)
    _, code = await make_code(account)
    before = await count_made()
    answer = await shop.post(
        "/checkout", user_without_purchase, build_order(price, promotion_code=code)
    )
    document = read_problem(answer, 400, "invalid-request")
    assert document["data"]["promotion_code"]["code"] == "promotion_code_not_taken"
    assert await count_made() == before


async def test_codes_that_are_not_for_the_caller_are_unknown(
    user: User, shop: Shop, account: StripeAccount, make_price: MakePrice
) -> None:
    """One that never was, one that is inactive and one of another customer answer the same."""
    price = await make_price("", promotion_codes="true")
    somebody = await account.create("customers")
    _, inactive = await make_code(account, active="false")
    _, foreign = await make_code(account, customer=somebody["id"])
    answers = [
        await shop.post("/checkout", user, build_order(price, promotion_code=code))
        for code in ("NEVER", inactive, foreign, "' OR 1=1 --", "\u0000")
    ]
    documents = [read_problem(answer, 400, "invalid-request") for answer in answers]
    assert all(document == documents[0] for document in documents)
    assert documents[0]["data"]["promotion_code"]["code"] == "promotion_code_unknown"


async def test_a_code_that_does_not_apply_is_the_callers_mistake(
    user: User, shop: Shop, account: StripeAccount, make_price: MakePrice
) -> None:
    """Stripe checks the restrictions of a code; a refusal is returned at the field."""
    price = await make_price("", promotion_codes="true")
    least = {"restrictions[minimum_amount]": 701, "restrictions[minimum_amount_currency]": "usd"}
    _, code = await make_code(account, **least)
    answer = await shop.post("/checkout", user, build_order(price, promotion_code=code))
    document = read_problem(answer, 400, "invalid-request")
    assert document["data"]["promotion_code"]["code"] == "promotion_code_not_applicable"


async def test_whoever_finds_a_code_later_has_one_purchase_under_way(
    user: User, shop: Shop, account: StripeAccount, make_price: MakePrice
) -> None:
    """The session without the code is closed; clicks with the code share one session."""
    price = await make_price("month", promotion_codes="true")
    _, code = await make_code(account)
    first = await shop.post("/checkout", user, build_order(price))
    order = build_order(price, promotion_code=code)
    answers = await asyncio.gather(*(shop.post("/checkout", user, order) for _ in range(4)))
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (await _read(account, first))["status"] == "expired"
    assert (await _read(account, answers[0]))["status"] == "open"


async def test_a_guest_may_have_a_code(
    start_gateway: Callable[..., GatewayProcess],
    shop: Shop,
    account: StripeAccount,
    make_price: MakePrice,
) -> None:
    """A guest may use a promotion code."""
    there = Shop(shop.http, start_gateway(GATEWAY_GUEST_CHECKOUT="true").url)
    price = await make_price("", promotion_codes="true")
    _, code = await make_code(account)
    answer = await there.post("/checkout", None, build_order(price, promotion_code=code))
    assert (await _read(account, answer))["amount_total"] == 560


async def test_a_key_is_for_one_code(
    user: User, shop: Shop, account: StripeAccount, make_price: MakePrice
) -> None:
    """The same Idempotency-Key with another code is another request."""
    price = await make_price("", promotion_codes="true")
    _, code = await make_code(account)
    order = build_order(price, promotion_code=code)
    first, again = [await shop.post("/checkout", user, order, key="click") for _ in range(2)]
    assert first.json() == again.json()
    other = await shop.post("/checkout", user, build_order(price), key="click")
    read_problem(other, 409, "idempotency-key-reused")


async def test_a_code_that_many_customers_have_is_each_ones_own(
    user: User, shop: Shop, account: StripeAccount, make_price: MakePrice, frontend: Frontend
) -> None:
    """Stripe lists the newest codes of one text first, and a page has only some of them."""
    price = await make_price("", promotion_codes="true")
    await shop.pay((await shop.post("/checkout", user, build_order(price))).json())
    await account.wait_delivered()
    [own] = await frontend.list_records("customers", token=user.token)
    coupon, _ = await make_code(account)
    promotion = {"promotion[type]": "coupon", "promotion[coupon]": coupon, "code": "OURS"}
    await account.create("promotion_codes", **promotion, customer=own["stripe_id"])
    for _ in range(101):
        other = await account.create("customers")
        await account.create("promotion_codes", **promotion, customer=other["id"])

    order = build_order(price, promotion_code="ours")
    session = await _read(account, await shop.post("/checkout", user, order))
    assert session["amount_total"] == 560
    read_problem(await shop.post("/checkout", await frontend.sign_up(), order), 400)
