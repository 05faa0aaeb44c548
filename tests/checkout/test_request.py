"""Requests that /checkout and /portal refuse: each gets a clear problem without a Stripe call."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.checkout.conftest import CountMade, MakePrice
from tests.checkout.test_redirects import EVIL
from tests.dashboard import Dashboard
from tests.frontend import Frontend, User
from tests.problem import read_problem
from tests.shop import ORIGIN, Shop, build_order
from tests.stripe_account import StripeAccount

_ITEM = {"price": "pro_monthly", "quantity": 1}


def _quantity(quantity: Any) -> dict[str, Any]:
    return build_order(items=[_ITEM | {"quantity": quantity}])


def _without(name: str) -> dict[str, Any]:
    return {key: value for key, value in build_order("pro_monthly").items() if key != name}


# A request's body, and the member of `data` that says what is wrong.
_TAMPERED: dict[str, tuple[Any, str]] = {
    "mode": (build_order("pro_monthly", mode="payment"), "mode"),
    "amount": (build_order("pro_monthly", amount=1), "amount"),
    "currency": (build_order("pro_monthly", currency="vnd"), "currency"),
    "customer": (build_order("pro_monthly", customer="cus_other"), "customer"),
    "metadata": (build_order("pro_monthly", metadata={"pocketbase_user": "x"}), "metadata"),
    "line_items": (build_order("pro_monthly", line_items=[]), "line_items"),
    "discounts": (build_order("pro_monthly", discounts=[{"coupon": "all"}]), "discounts"),
    "unknown member": (build_order("pro_monthly", surprise=1), "surprise"),
    "price_data": (
        build_order(items=[{"price_data": {"unit_amount": 1, "currency": "usd"}, "quantity": 1}]),
        "items.0.price_data",
    ),
    "amount of an item": (build_order(items=[_ITEM | {"amount": 1}]), "items.0.amount"),
    "quantity -1": (_quantity(-1), "items.0.quantity"),
    "quantity 0": (_quantity(0), "items.0.quantity"),
    "quantity 1.0": (_quantity(1.0), "items.0.quantity"),
    "quantity 1.5": (_quantity(1.5), "items.0.quantity"),
    "quantity beyond the limit": (_quantity(1_000_001), "items.0.quantity"),
    "quantity beyond 64 bits": (_quantity(10**30), "items.0.quantity"),
    "quantity a string": (_quantity("1"), "items.0.quantity"),
    "quantity true": (_quantity(True), "items.0.quantity"),
    "quantity null": (_quantity(None), "items.0.quantity"),
    "quantity a list": (_quantity([1]), "items.0.quantity"),
    "quantity NaN": (_quantity(float("nan")), "items.0.quantity"),
    "21 items": (build_order(items=[_ITEM] * 21), "items"),
    "no items": (build_order(items=[]), "items"),
    "items null": (build_order(items=None), "items"),
    "items an object": (build_order(items=_ITEM), "items"),
    "an item a string": (build_order(items=["pro_monthly"]), "items.0"),
    "price missing": (build_order(items=[{"quantity": 1}]), "items.0.price"),
    "price empty": (build_order(items=[{"price": ""}]), "items.0.price"),
    "price a number": (build_order(items=[{"price": 1}]), "items.0.price"),
    "price an object": (build_order(items=[{"price": {"id": "x"}}]), "items.0.price"),
    "price too long": (build_order(items=[{"price": "p" * 256}]), "items.0.price"),
    "no items member": (_without("items"), "items"),
    "no success_url": (_without("success_url"), "success_url"),
    "no cancel_url": (_without("cancel_url"), "cancel_url"),
    "success_url a list": (build_order("pro_monthly", success_url=[ORIGIN]), "success_url"),
    "success_url too long": (
        build_order("pro_monthly", success_url=f"{ORIGIN}/{'x' * 2000}"),
        "success_url",
    ),
    "an array": ([], "body"),
    "null": (None, "body"),
}


@pytest.mark.parametrize("name", _TAMPERED)
async def test_a_tampered_body_is_refused(
    name: str, user_without_purchase: User, shop: Shop, count_made: CountMade
) -> None:
    """A body with anything but items and two addresses is a 400 that names the bad member."""
    body, member = _TAMPERED[name]
    before = await count_made()
    headers = user_without_purchase.bearer | {"Content-Type": "application/json"}
    answer = await shop.http.post(f"{shop.url}/checkout", content=json.dumps(body), headers=headers)
    reason = read_problem(answer, 400, "invalid-request")["data"][member]
    assert set(reason) == {"code", "message"}
    assert await count_made() == before


@pytest.mark.parametrize("path", ["/checkout", "/portal"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"{",
        b"items=1",
        b"\xff",
        b'{"items": ' + b"[" * 30_000,
        b"[" * 15_000 + b"]" * 15_000,
        b'"\\ud800"',
        b'{"\\ud800": 1}',
        b'{"success_url": "\\ud800"}',
        b'{"return_url": "http://localhost:3000/\\ud800"}',
    ],
    ids=range(11),
)
async def test_a_body_that_is_no_json_is_refused(
    path: str, body: bytes, user_without_purchase: User, shop: Shop
) -> None:
    """An unreadable body is a 400, never a 500."""
    headers = user_without_purchase.bearer | {"Content-Type": "application/json"}
    answer = await shop.http.post(shop.url + path, content=body, headers=headers)
    read_problem(answer, 400)


async def test_a_body_must_say_that_it_is_json(user_without_purchase: User, shop: Shop) -> None:
    """A form post, which any site can send without being asked, is not taken."""
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = await shop.http.post(
            f"{shop.url}/checkout",
            content=json.dumps(build_order("pro_monthly")),
            headers=user_without_purchase.bearer | {"Content-Type": kind},
        )
        assert answer.status_code in (400, 415)
        read_problem(answer, answer.status_code)


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "chunked"])
async def test_a_body_of_five_megabytes_is_refused(
    chunked: bool, user_without_purchase: User, shop: Shop
) -> None:
    """A body beyond the limit is a 413 problem, whether its length is announced or not."""
    body = json.dumps(build_order("pro_monthly", padding="x" * (5 << 20))).encode()

    async def stream() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    answer = await shop.http.post(
        f"{shop.url}/checkout",
        content=stream() if chunked else body,
        headers=user_without_purchase.bearer | {"Content-Type": "application/json"},
    )
    read_problem(answer, 413)


_REDIRECTS = (("/checkout", "success_url"), ("/checkout", "cancel_url"), ("/portal", "return_url"))


@pytest.mark.parametrize(("path", "member"), _REDIRECTS)
async def test_a_foreign_redirect_is_refused(
    path: str, member: str, user_without_purchase: User, shop: Shop, count_made: CountMade
) -> None:
    """No address outside the allow-list gets to Stripe, by whichever member it comes."""
    before = await count_made()
    order = build_order("pro_monthly") if path == "/checkout" else {}
    for url in (url for url in EVIL if 0 < len(url) <= 2000):
        answer = await shop.post(path, user_without_purchase, order | {member: url})
        document = read_problem(answer, 400, "invalid-request")
        assert document["data"][member]["code"] == "redirect_not_allowed", url
    assert await count_made() == before


async def test_an_unknown_price_is_refused(
    user_without_purchase: User, shop: Shop, count_made: CountMade
) -> None:
    """A price that is not mirrored is a 400 that names the item; nothing is made at Stripe."""
    before = await count_made()
    for name in ("price_unknown", "nothing' OR 1=1 --", "prod_1", "PRO_MONTHLY", "%", "\u0000"):
        order = build_order("pro_monthly", name)
        document = read_problem(
            await shop.post("/checkout", user_without_purchase, order), 400, "invalid-request"
        )
        assert document["data"]["items.1.price"]["code"] == "price_unknown"
    assert await count_made() == before


async def test_an_archived_price_is_refused(
    user: User, shop: Shop, account: StripeAccount, frontend: Frontend, count_made: CountMade
) -> None:
    """A price is for sale until it, or its product, is archived."""
    product = await account.create("products", name="Short-lived")
    prices = [
        await account.create("prices", product=product["id"], currency="usd", unit_amount=500)
        for _ in range(2)
    ]
    first, second = (price["id"] for price in prices)
    await account.wait_delivered()
    await shop.check_out(user, first, second)

    await account.create(f"prices/{first}", active="false")
    await account.wait_delivered()
    await _assert_inactive(shop, user, first, count_made)
    await shop.check_out(user, second)

    await account.create(f"products/{product['id']}", active="false")
    await account.wait_delivered()
    await _assert_inactive(shop, user, second, count_made)


async def _assert_inactive(shop: Shop, user: User, price: str, count_made: CountMade) -> None:
    before = await count_made()
    answer = await shop.post("/checkout", user, build_order(price))
    document = read_problem(answer, 400, "invalid-request")
    assert document["data"]["items.0.price"]["code"] == "price_inactive"
    assert await count_made() == before


async def test_the_session_is_what_was_asked_for(
    user: User, shop: Shop, account: StripeAccount, make_price: MakePrice
) -> None:
    """Stripe gets the user's customer, the mode the prices imply, and the user in the metadata."""
    once = await make_price("")
    order = build_order("pro_monthly", once)
    order["items"][1]["quantity"] = 3
    order["success_url"] += "?session={CHECKOUT_SESSION_ID}"
    made = (await shop.post("/checkout", user, order)).json()
    [session] = [one for one in await account.list("checkout/sessions") if one["id"] == made["id"]]
    assert session["url"] == made["url"]
    assert session["mode"] == "subscription"
    assert session["client_reference_id"] == user.id
    assert session["metadata"]["pocketbase_user"] == user.id
    assert (session["success_url"], session["cancel_url"]) == (
        order["success_url"],
        order["cancel_url"],
    )
    lines = await account.list(f"checkout/sessions/{made['id']}/line_items")
    bought = {
        (line["price"]["lookup_key"] or line["price"]["id"], line["quantity"]) for line in lines
    }
    assert bought == {("pro_monthly", 1), (once, 3)}
    [customer] = [
        one for one in await account.list("customers") if one["id"] == session["customer"]
    ]
    assert (customer["email"], customer["metadata"]["pocketbase_user"]) == (user.email, user.id)


async def test_the_portal_needs_a_purchase(
    user_without_purchase: User, shop: Shop, count_made: CountMade
) -> None:
    """A user without a customer has no portal: 404, and nothing is created at Stripe."""
    before = await count_made()
    answer = await shop.post("/portal", user_without_purchase, {"return_url": f"{ORIGIN}/account"})
    read_problem(answer, 404, "no-customer")
    assert await count_made() == before


async def test_the_portal_is_the_callers_own(
    frontend: Frontend, shop: Shop, dashboard: Dashboard, account: StripeAccount
) -> None:
    """Each of two users gets a portal of their own customer, whatever else the body says."""
    users = [await frontend.sign_up() for _ in range(2)]
    for user in users:
        await shop.pay(await shop.check_out(user, "pro_monthly"))
    await account.wait_delivered()
    for user in users:
        [subscription] = await frontend.list_records("subscriptions", token=user.token)
        page = (await shop.http.get(await shop.open_portal(user))).text
        assert subscription["stripe_id"] in page
        others = await dashboard.list("subscriptions", f"user != '{user.id}'")
        assert others
        assert not any(other["stripe_id"] in page for other in others)

    body = {"return_url": f"{ORIGIN}/a", "customer": "cus_other"}
    document = read_problem(await shop.post("/portal", users[0], body), 400, "invalid-request")
    assert "customer" in document["data"]


async def test_an_organization_that_is_null_is_none(shop: Shop, user: User) -> None:
    """A client that sends null for what it does not have buys for its user."""
    order = build_order("pro_monthly", organization=None)
    answer = await shop.http.post(f"{shop.url}/checkout", json=order, headers=user.bearer)
    assert answer.status_code == 200, answer.text
