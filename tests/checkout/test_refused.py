"""Refusals by Stripe: the error names the parameter, and who can correct it."""

import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

import httpx
import pytest
import pytest_asyncio

from gateway.dev.gateway_process import GatewayProcess
from tests.checkout.conftest import MakePrice
from tests.dashboard import Dashboard
from tests.deadline import eventually
from tests.frontend import Frontend, User
from tests.problem import read_problem
from tests.promotion_codes import make_code
from tests.shop import ORIGIN, Shop, build_order
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


async def _read_clock(account: StripeAccount) -> int:
    event = (await account.list("events"))[0]
    return max(int(event["created"]), int(time.time()))


async def _wait_until_over(account: StripeAccount, coupon: str) -> None:
    async def is_over() -> bool:
        return not (await account.read(f"coupons/{coupon}"))["valid"]

    await eventually(is_over)


#: Stripe's error, and the status, field and code of the response.
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
    """A refusal that only the seller can correct is a 409, others a 400 at the field."""
    said, status, field, code = _CAUSES[name]
    await _refuse(account, **said)
    answer = await shop.post("/checkout", user, build_order("pro_monthly"))
    assert _read_code(answer, status, field) == code


async def test_the_line_of_an_archived_price_is_named(
    user: User, shop: Shop, account: StripeAccount, make_price: MakePrice
) -> None:
    """Before its event arrives, Stripe's refusal leads to the same field."""
    first, second = await make_price(""), await make_price("")
    async with account.holding_deliveries():
        await account.create(f"prices/{second}", active="false")
        answer = await shop.post("/checkout", user, build_order(first, first, second))
        assert _read_code(answer, 409, "items.2.price") == "price_inactive"
    await account.wait_delivered()


async def test_a_price_below_what_can_be_charged_is_the_sellers(
    user: User, shop: Shop, account: StripeAccount
) -> None:
    """A card can't be charged ten cents."""
    product = await account.create("products", name="Cheap")
    price = await account.create("prices", product=product["id"], currency="usd", unit_amount=10)
    await account.wait_delivered()
    answer = await shop.post("/checkout", user, build_order(price["id"]))
    assert _read_code(answer, 409, "amount") == "amount_too_small"


async def test_another_currency_is_told_at_the_price(
    user: User, shop: Shop, account: StripeAccount, make_price: MakePrice
) -> None:
    """A customer with a subscription in one currency can't start one in another."""
    first, second = [
        await make_price("month", currency, group=currency) for currency in ("usd", "eur")
    ]
    await shop.pay(await shop.check_out(user, first))
    await account.wait_delivered()
    answer = await shop.post("/checkout", user, build_order(second))
    assert _read_code(answer, 400, "items.0.price") == "currency_mismatch"


@pytest.mark.parametrize("how", ["deleted", "expired", "used up"])
async def test_a_coupon_that_is_over_is_the_sellers(
    how: str,
    user: User,
    account: StripeAccount,
    make_price: MakePrice,
    start_gateway: Callable[..., GatewayProcess],
    http: httpx.AsyncClient,
) -> None:
    """The plan is not sold at a higher price than it was offered at; the log names both."""
    fields: dict[str, Any] = {"percent_off": 50, "duration": "once"}
    soon = await _read_clock(account) + 2
    more = {"expired": {"redeem_by": soon}, "used up": {"max_redemptions": 1}}.get(how, {})
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
    if how == "expired":
        await _wait_until_over(account, coupon)
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


@pytest.mark.parametrize("interval", ["month", ""])
async def test_a_stripe_that_fails_is_asked_a_few_times(
    interval: str, user: User, shop: Shop, account: StripeAccount, make_price: MakePrice
) -> None:
    """While Stripe fails a request has an end, and later its Idempotency-Key works."""
    order = build_order(await make_price(interval))
    await _refuse(account, status=500, times=30)
    for _ in range(2):
        read_problem(await shop.post("/checkout", user, order, key="click"), 502, "stripe-failed")
    await account.clear_faults()
    made = [await shop.post("/checkout", user, order, key="click") for _ in range(2)]
    assert made[0].status_code == 200, made[0].text
    assert made[0].json() == made[1].json()


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


async def test_a_key_that_was_refused_long_ago_buys_as_well(
    user: User,
    shop: Shop,
    account: StripeAccount,
    dashboard: Dashboard,
    make_price: MakePrice,
) -> None:
    """The page of a first attempt that made no session would have ended: another one is made."""
    coupon = f"LATE{token_hex(4)}"
    order = build_order(await make_price("", coupon=coupon, expires_minutes="60"))
    refused = await shop.post("/checkout", user, order, key=coupon)
    assert _read_code(refused, 409, "coupon") == "coupon_not_redeemable"
    keys = "/api/collections/gateway_checkout_keys/records"
    newest = (await dashboard.call("GET", f"{keys}?sort=-since&perPage=1"))["items"][0]
    since = datetime.fromisoformat(newest["since"]) - timedelta(minutes=50)
    await dashboard.call("PATCH", f"{keys}/{newest['id']}", {"since": f"{since:%F %T.000Z}"})
    await account.create("coupons", id=coupon, percent_off=10, duration="once")
    made = [await shop.post("/checkout", user, order, key=coupon) for _ in range(2)]
    assert [answer.status_code for answer in made] == [200, 200], made[0].text
    assert made[0].json() == made[1].json()


async def test_a_guest_who_was_refused_can_buy_once_it_is_mended(
    account: StripeAccount,
    make_price: MakePrice,
    start_gateway: Callable[..., GatewayProcess],
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


@pytest.mark.parametrize("restriction", ["first time", "currency", "products", "coupon over"])
async def test_a_code_that_does_not_fit_is_blamed(
    restriction: str, user: User, shop: Shop, account: StripeAccount, make_price: MakePrice
) -> None:
    """Stripe's refusals of a code or its coupon are returned at the code."""
    price = await make_price("", promotion_codes="true")
    coupon: dict[str, Any] = {"percent_off": 10, "duration": "once"}
    code: dict[str, Any] = {"code": f"CODE{token_hex(4)}", "promotion[type]": "coupon"}
    if restriction == "currency":
        coupon = {"amount_off": 100, "currency": "eur", "duration": "once"}
    if restriction == "products":
        coupon["applies_to[products][0]"] = (await account.create("products", name="O"))["id"]
    if restriction == "coupon over":
        coupon["redeem_by"] = await _read_clock(account) + 2
    if restriction == "first time":
        code["restrictions[first_time_transaction]"] = "true"
        await shop.pay(await shop.check_out(user, await make_price("")))
        await account.wait_delivered()
    code["promotion[coupon]"] = (await account.create("coupons", **coupon))["id"]
    await account.create("promotion_codes", **code)
    if restriction == "coupon over":
        await _wait_until_over(account, code["promotion[coupon]"])
    answer = await shop.post("/checkout", user, build_order(price, promotion_code=code["code"]))
    assert _read_code(answer, 400, "promotion_code") == "promotion_code_not_applicable"


async def test_a_wrong_key_is_seen(
    user: User, start_gateway: Callable[..., GatewayProcess], http: httpx.AsyncClient
) -> None:
    """A wrong key is logged with Stripe's words, and the gateway is not ready."""
    gateway = start_gateway(STRIPE_SECRET_KEY="sk_test_of_another_account")
    shop = Shop(http, gateway.url)
    read_problem(await shop.post("/checkout", user, build_order("lifetime")), 502)

    async def is_unready() -> bool:
        return (await http.get(f"{gateway.url}/ready")).status_code == 503

    await eventually(is_unready)
    document = read_problem(await http.get(f"{gateway.url}/ready"), 503, "stripe-key-not-accepted")
    assert "401" in document["detail"]
    log = gateway.log.read_text()
    assert "Invalid API Key provided" in log
    assert "sk_test_of_another_account" not in log


async def test_a_permission_that_lacks_is_seen_until_it_is_given(
    user: User,
    account: StripeAccount,
    start_gateway: Callable[..., GatewayProcess],
    http: httpx.AsyncClient,
) -> None:
    """A 403 is visible in /ready until the same works."""
    gateway = start_gateway()
    shop = Shop(http, gateway.url)
    await _refuse(account, status=403, message="The key lacks a permission.")
    read_problem(await shop.post("/checkout", user, build_order("lifetime")), 502)
    read_problem(await http.get(f"{gateway.url}/ready"), 503, "stripe-key-not-accepted")
    assert "The key lacks a permission." in gateway.log.read_text()
    await shop.check_out(user, "lifetime")
    assert (await http.get(f"{gateway.url}/ready")).status_code == 200


async def test_the_portal_heals_itself(
    user: User, shop: Shop, account: StripeAccount, frontend: Frontend
) -> None:
    """A customer that was deleted at Stripe a moment ago counts as missing."""
    await shop.check_out(user, "lifetime")
    [row] = await frontend.list_records("customers", token=user.token)
    body = {"return_url": f"{ORIGIN}/account"}
    async with account.holding_deliveries():
        await account.delete(f"customers/{row['stripe_id']}")
        read_problem(await shop.post("/portal", user, body), 404, "no-customer")
        await shop.check_out(user, "lifetime")
        assert (await shop.post("/portal", user, body)).status_code == 200
    await account.wait_delivered()
