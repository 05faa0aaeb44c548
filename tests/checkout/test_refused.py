"""What Stripe refuses: the error names what is wrong, and whose it is to change."""

from collections.abc import AsyncIterator, Callable
from secrets import token_hex
from typing import Any

import httpx
import pytest
import pytest_asyncio

from stack.gateway import Gateway
from tests.checkout.conftest import MakePrice
from tests.frontend import User
from tests.problem import read_problem
from tests.promotion_codes import make_code
from tests.shop import Shop, build_order
from tests.stripe_account import StripeAccount

_SESSIONS = "/v1/checkout/sessions"


@pytest_asyncio.fixture(autouse=True)
async def heal(account: StripeAccount) -> AsyncIterator[None]:
    """Leave no fault behind."""
    yield
    await account.clear_faults()


async def _refuse(account: StripeAccount, path: str = _SESSIONS, **said: Any) -> None:
    await account.control("faults", method="POST", path=path, **{"status": 400} | said)


def _read_code(answer: httpx.Response, status: int, field: str) -> str:
    document = read_problem(answer, status)
    assert list(document["data"]) == [field], document["data"]
    return str(document["data"][field]["code"])


#: What Stripe says, and the status, field and code that the buyer gets.
_CAUSES = {
    "coupon expired": ({"code": "coupon_expired"}, 409, "coupon", "coupon_not_redeemable"),
    "coupon used up": (
        {"message": "Coupon X is used up and cannot be applied."},
        409,
        "coupon",
        "coupon_not_redeemable",
    ),
    "coupon deleted": (
        {"code": "resource_missing", "param": "discounts[0][coupon]"},
        409,
        "coupon",
        "coupon_not_redeemable",
    ),
    "price archived": (
        {"message": "The price specified is inactive.", "param": "line_items[0][price]"},
        409,
        "items.0.price",
        "price_inactive",
    ),
    "product archived": ({"code": "product_inactive"}, 409, "price", "price_inactive"),
    "meter archived": ({"message": "The meter is inactive."}, 409, "meter", "meter_inactive"),
    "no tax location": (
        {"code": "customer_tax_location_invalid"},
        409,
        "tax",
        "tax_not_configured",
    ),
    "no head office": (
        {"message": "You must have a valid head office address to enable automatic tax."},
        409,
        "tax",
        "tax_not_configured",
    ),
    "too cheap": ({"code": "amount_too_small"}, 409, "amount", "amount_too_small"),
    "unknown": ({}, 409, "items", "not_sellable"),
    "too dear": ({"code": "amount_too_large"}, 400, "items.0.quantity", "quantity_not_sold"),
    "another currency": (
        {"message": "You cannot combine currencies on a single customer."},
        400,
        "items.0.price",
        "currency_mismatch",
    ),
    "address": ({"param": "success_url"}, 400, "success_url", "url_not_accepted"),
}


@pytest.mark.parametrize("name", _CAUSES)
async def test_a_refused_purchase_names_its_cause(
    name: str, user: User, shop: Shop, account: StripeAccount
) -> None:
    """What the seller has to change is a 409, what the buyer can change a 400 at the field."""
    said, status, field, code = _CAUSES[name]
    await _refuse(account, **said)
    answer = await shop.post("/checkout", user, build_order("pro_monthly"))
    assert _read_code(answer, status, field) == code


@pytest.mark.parametrize("how", ["deleted"])
async def test_a_coupon_that_is_over_is_the_sellers(
    how: str,
    user: User,
    account: StripeAccount,
    make_price: MakePrice,
    start_gateway: Callable[..., Gateway],
    http: httpx.AsyncClient,
) -> None:
    """The plan is not sold at a higher price than it was offered at; the log names both."""
    fields: dict[str, Any] = {"percent_off": 50, "duration": "once"}
    more = {"expired": {"redeem_by": 1}, "used up": {"max_redemptions": 1}}.get(how, {})
    coupon = str((await account.create("coupons", **fields, **more))["id"])
    price = await make_price(coupon=coupon)
    gateway = start_gateway()
    shop = Shop(http, gateway.url)
    if how == "deleted":
        await account.delete(f"coupons/{coupon}")
    if how == "used up":
        customer = await account.create("customers")
        await account.create(
            "subscriptions",
            customer=customer["id"],
            **{"items[0][price]": price, "discounts[0][coupon]": coupon},
            collection_method="send_invoice",
            days_until_due=5,
        )
    answer = await shop.post("/checkout", user, build_order(price))
    assert _read_code(answer, 409, "coupon") == "coupon_not_redeemable"
    [line] = [line for line in gateway.log.read_text().splitlines() if "purchase refused" in line]
    assert price in line
    assert coupon in line


async def test_a_refusal_of_the_address_is_told_at_the_field(
    user: User, shop: Shop, account: StripeAccount
) -> None:
    """Stripe does not take every address; once it does, the same user can buy."""
    await _refuse(account, "/v1/customers")
    answer = await shop.post("/checkout", user, build_order("pro_monthly"))
    assert _read_code(answer, 400, "email") == "email_not_accepted"
    await shop.check_out(user, "pro_monthly")


@pytest.mark.parametrize("key", ["", "click"])
@pytest.mark.parametrize("interval", ["month", ""])
async def test_who_was_refused_can_buy_once_it_is_mended(
    interval: str,
    key: str,
    user: User,
    shop: Shop,
    account: StripeAccount,
    make_price: MakePrice,
) -> None:
    """Stripe repeats a refusal for a day to one idempotency key; the buyer is not held up by it."""
    coupon = f"BACK{token_hex(4)}"
    price = await make_price(interval, coupon=coupon)
    for _ in range(2):
        answer = await shop.post("/checkout", user, build_order(price), key=key)
        assert _read_code(answer, 409, "coupon") == "coupon_not_redeemable"
    await account.create("coupons", id=coupon, percent_off=10, duration="once")
    made = [await shop.post("/checkout", user, build_order(price), key=key) for _ in range(2)]
    assert [answer.status_code for answer in made] == [200, 200]
    if key or interval:
        assert made[0].json() == made[1].json()


async def test_a_guest_who_was_refused_can_buy_once_it_is_mended(
    account: StripeAccount,
    make_price: MakePrice,
    start_gateway: Callable[..., Gateway],
    http: httpx.AsyncClient,
) -> None:
    """The same for a guest with an Idempotency-Key."""
    shop = Shop(http, start_gateway(GATEWAY_GUEST_CHECKOUT="true").url)
    coupon = f"BACK{token_hex(4)}"
    order = build_order(await make_price("", coupon=coupon))
    refused = await shop.post("/checkout", None, order, key=coupon)
    assert _read_code(refused, 409, "coupon") == "coupon_not_redeemable"
    await account.create("coupons", id=coupon, percent_off=10, duration="once")
    made = [await shop.post("/checkout", None, order, key=coupon) for _ in range(2)]
    assert made[0].status_code == 200
    assert made[0].json() == made[1].json()


async def test_a_code_is_not_blamed_for_anything_else(
    user: User, shop: Shop, account: StripeAccount, make_price: MakePrice
) -> None:
    """An archived price stays an archived price when a promotion code comes with the order."""
    price = await make_price("", promotion_codes="true")
    _, code = await make_code(account)
    await _refuse(account, message="The price specified is inactive.", param="line_items[0][price]")
    answer = await shop.post("/checkout", user, build_order(price, promotion_code=code))
    assert _read_code(answer, 409, "items.0.price") == "price_inactive"
