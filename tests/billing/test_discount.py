"""Discounts that users may take: promotion codes, and coupons that a setting opens to them."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gateway.dev.gateway_process import GatewayProcess
from tests.billing.conftest import Subscribe
from tests.problem import read_problem
from tests.promotion_codes import make_code
from tests.stripe_account import StripeAccount


async def test_a_promotion_code_makes_the_next_invoice_cheaper(
    subscribe: Subscribe, account: StripeAccount
) -> None:
    """The code counts once, however often it is sent while it runs."""
    subscriber = await subscribe()
    coupon, code = await make_code(account)
    await asyncio.gather(*(subscriber.do("discount", promotion_code=code) for _ in range(5)))
    await subscriber.do("discount", promotion_code=code)
    assert (await account.read(f"coupons/{coupon}"))["times_redeemed"] == 1
    await account.control(f"subscriptions/{subscriber.id}/renew")
    renewal, first = await subscriber.list_invoices()
    assert renewal["total"] == first["total"] * 8 // 10


async def test_a_coupon_is_given_once(subscribe: Subscribe, account: StripeAccount) -> None:
    """When a discount is used up, the same code can't be had again; another can."""
    subscriber = await subscribe()
    _, code = await make_code(account)
    _, other = await make_code(account)
    await subscriber.do("discount", promotion_code=code)
    document = read_problem(await subscriber.ask("discount", promotion_code=other), 409, "conflict")
    assert document["data"]["subscription"]["code"] == "discount_running"
    await account.control(f"subscriptions/{subscriber.id}/renew")
    document = read_problem(await subscriber.ask("discount", promotion_code=code), 409, "conflict")
    assert document["data"]["subscription"]["code"] == "coupon_used"
    await subscriber.do("discount", promotion_code=other)


async def test_codes_that_are_not_for_the_caller_are_unknown(
    subscribe: Subscribe, account: StripeAccount
) -> None:
    """One that never was, one that is inactive and one of another customer answer the same."""
    subscriber, other = await subscribe(), await subscribe()
    _, inactive = await make_code(account, active="false")
    _, foreign = await make_code(account, customer=(await other.read())["customer"])
    answers = [
        read_problem(await subscriber.ask("discount", promotion_code=code), 400, "invalid-request")
        for code in ("NEVER", inactive, foreign, "' OR 1=1 --", "\u0000")
    ]
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["data"]["promotion_code"]["code"] == "promotion_code_unknown"
    await other.do("discount", promotion_code=foreign)


async def test_coupons_are_the_sellers_to_open(
    subscribe: Subscribe, account: StripeAccount, start_gateway: Callable[..., GatewayProcess]
) -> None:
    """A coupon's id is refused unless the setting names it."""
    subscriber = await subscribe()
    coupon, _ = await make_code(account)
    secret, _ = await make_code(account)
    document = read_problem(await subscriber.ask("discount", coupon=coupon), 400, "invalid-request")
    assert document["data"]["coupon"]["code"] == "coupon_unknown"
    there = subscriber.at(start_gateway(GATEWAY_SELF_SERVICE_COUPONS=coupon).url)
    read_problem(await there.ask("discount", coupon=secret), 400, "invalid-request")
    await there.do("discount", coupon=coupon)
    assert (await account.read(f"coupons/{coupon}"))["times_redeemed"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"coupon": "a", "promotion_code": "b"},
        {"promotion_code": ""},
        {"promotion_code": 7},
        {"coupon": ["a"]},
        {"percent_off": 100},
        {"discounts": [{"coupon": "a"}]},
    ],
)
async def test_a_discount_is_one_name(body: dict[str, Any], subscribe: Subscribe) -> None:
    """Neither none nor both, and nothing that would say how much it is."""
    subscriber = await subscribe()
    read_problem(await subscriber.ask("discount", **body), 400, "invalid-request")
    assert (await subscriber.read())["discounts"] == []


async def test_a_discount_becomes_no_credit(subscribe: Subscribe, account: StripeAccount) -> None:
    """Going up with a discount for one invoice, and down without it, credits nothing unpaid."""
    coupon = await account.create("coupons", percent_off=100, duration="once")
    subscriber = await subscribe()
    path = f"subscriptions/{subscriber.id}"
    await account.create(path, **{"discounts[0][coupon]": coupon["id"]})
    await account.wait_delivered()
    await subscriber.do("change", quantity=100)
    preview = await subscriber.do("preview", quantity=1)
    for more in ({}, {"proration_date": preview["proration_date"]}):
        document = read_problem(await subscriber.ask("change", quantity=1, **more), 409)
        assert document["data"]["subscription"]["code"] == "credit_not_billed"
    customer = (await subscriber.read())["customer"]
    assert (await account.read(f"customers/{customer}"))["balance"] == 0
    await subscriber.do("change", quantity=1, when="period_end")
    await subscriber.do("resume")
    await subscriber.do("change", quantity=200)
    await subscriber.do("change", quantity=110)
