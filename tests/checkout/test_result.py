"""The page that Stripe leads back to: what was bought is there at once, and it is the buyer's."""

import asyncio
from typing import Any

import pytest

from tests.checkout.conftest import HoldWebhooks
from tests.dashboard import Dashboard
from tests.frontend import Frontend, User
from tests.problem import read_problem
from tests.shop import CANCEL, SUCCESS, Shop
from tests.stripe_account import StripeAccount

_MIRRORS = ("checkout_sessions", "subscriptions", "payments", "charges", "invoices", "customers")


async def _read_rows(dashboard: Dashboard, user: User) -> dict[str, Any]:
    """All rows of a user, without their versions: these say where a state is from."""
    rows = {}
    for collection in _MIRRORS:
        found = await dashboard.list(collection, f"user = '{user.id}'", sort="id")
        rows[collection] = [
            {name: value for name, value in row.items() if name not in ("version", "claims")}
            for row in found
        ]
    return rows


@pytest.mark.parametrize("price", ["pro_monthly", "lifetime"])
async def test_rows_are_there_before_the_webhooks(
    price: str,
    user: User,
    shop: Shop,
    frontend: Frontend,
    dashboard: Dashboard,
    hold_webhooks: HoldWebhooks,
) -> None:
    """The answer names records that are there; the webhooks leave them as they are."""
    async with hold_webhooks():
        session = await shop.check_out(user, price)
        assert (await shop.come_back(user, session["id"])).json()["status"] == "open"
        await shop.pay(session)
        outcome = (await shop.come_back(user, session["id"])).json()
        assert (outcome["status"], outcome["payment_status"]) == ("complete", "paid")
        kind, collection = (
            ("payment", "payments") if price == "lifetime" else ("subscription", "subscriptions")
        )
        [row] = await frontend.list_records(collection, token=user.token)
        assert row["id"] == outcome[kind]
        assert row["status"] in ("active", "succeeded")
        early = await _read_rows(dashboard, user)
    late = await _read_rows(dashboard, user)
    for name, rows in early.items():
        assert [row for row in late[name] if row["id"] in {each["id"] for each in rows}] == rows


async def test_rows_stay_as_the_webhooks_made_them(
    user: User, shop: Shop, account: StripeAccount, dashboard: Dashboard
) -> None:
    """A return after the webhooks changes nothing."""
    session = await shop.check_out(user, "pro_monthly")
    await shop.pay(session)
    await account.wait_delivered()
    before = await _read_rows(dashboard, user)
    assert (await shop.come_back(user, session["id"])).json()["status"] == "complete"
    assert await _read_rows(dashboard, user) == before


async def test_both_may_come_at_once(
    user: User, shop: Shop, account: StripeAccount, dashboard: Dashboard
) -> None:
    """Concurrent returns and webhooks write one row per object."""
    session = await shop.check_out(user, "pro_monthly")
    await shop.pay(session)
    answers = await asyncio.gather(*(shop.come_back(user, session["id"]) for _ in range(12)))
    assert {answer.status_code for answer in answers} == {200}
    await account.wait_delivered()
    rows = await _read_rows(dashboard, user)
    assert len(rows["subscriptions"]) == len(rows["invoices"]) == 1
    assert rows["subscriptions"][0]["status"] == "active"
    assert rows["invoices"][0]["status"] == "paid"


async def test_nobody_sees_anothers(
    user: User,
    user_without_purchase: User,
    shop: Shop,
    dashboard: Dashboard,
    hold_webhooks: HoldWebhooks,
) -> None:
    """A foreign session is as unknown as one that does not exist, and is not written either."""
    async with hold_webhooks():
        session = await shop.check_out(user, "pro_monthly")
        await shop.pay(session)
        read_problem(
            await shop.come_back(user_without_purchase, session["id"]), 404, "no-such-purchase"
        )
        assert await dashboard.count("checkout_sessions", f"user = '{user.id}'") == 0


@pytest.mark.parametrize(
    "name",
    ["cs_test_unknown", "sub_1", "cs_test_a%2F..%2F..%2Fcustomers", "cs_" + "x" * 300, "%00"],
)
async def test_what_is_no_session_is_not_found(
    name: str, user_without_purchase: User, shop: Shop
) -> None:
    """Only a session's id is looked for at Stripe, and nothing else that an address might name."""
    answer = await shop.come_back(user_without_purchase, name)
    read_problem(answer, answer.status_code)
    assert answer.status_code in (400, 404)


async def test_it_takes_a_token(user: User, shop: Shop) -> None:
    """Without a token, or with a bad one, nothing is told."""
    session = await shop.check_out(user, "lifetime")
    read_problem(await shop.come_back(None, session["id"]), 401, "unauthenticated")
    bad = User(user.id, user.email, user.password, "bad")
    read_problem(await shop.come_back(bad, session["id"]), 401, "unauthenticated")


async def test_a_payment_method_is_saved(
    user: User, shop: Shop, frontend: Frontend, account: StripeAccount
) -> None:
    """Setup needs no price; what was saved is the user's."""
    body = {"success_url": SUCCESS, "cancel_url": CANCEL, "locale": "de"}
    answer = await shop.post("/checkout/setup", user, body)
    session = answer.json()
    made = await account.read(f"checkout/sessions/{session['id']}")
    assert (made["mode"], made["locale"]) == ("setup", "de")
    await shop.pay(session)
    outcome = (await shop.come_back(user, session["id"])).json()
    assert outcome["mode"] == "setup"
    [intent] = await frontend.list_records("setup_intents", token=user.token)
    assert (intent["id"], intent["status"]) == (outcome["setup_intent"], "succeeded")


@pytest.mark.parametrize("ui_mode", ["embedded_page", "elements"])
async def test_a_form_of_ones_own_gets_a_secret(
    ui_mode: str, user: User, shop: Shop, account: StripeAccount
) -> None:
    """Stripe.js gets the session's secret; there is no redirect address."""
    items = [{"price": "lifetime"}]
    body = {"items": items, "ui_mode": ui_mode, "return_url": SUCCESS}
    session = (await shop.post("/checkout", user, body)).json()
    assert session["client_secret"].startswith(session["id"])
    assert session["url"] == ""
    made = await account.read(f"checkout/sessions/{session['id']}")
    assert (made["ui_mode"], made["return_url"]) == (ui_mode, SUCCESS)


@pytest.mark.parametrize(
    ("members", "wrong"),
    [
        ({"success_url": SUCCESS}, "cancel_url"),
        ({"success_url": SUCCESS, "cancel_url": CANCEL, "return_url": SUCCESS}, "return_url"),
        ({"ui_mode": "elements"}, "return_url"),
        ({"ui_mode": "elements", "return_url": "https://evil.com"}, "return_url"),
        ({"ui_mode": "elements", "return_url": SUCCESS, "success_url": SUCCESS}, "success_url"),
        ({"ui_mode": "hosted", "success_url": SUCCESS, "cancel_url": CANCEL}, "ui_mode"),
        ({"locale": "xx", "success_url": SUCCESS, "cancel_url": CANCEL}, "locale"),
    ],
)
async def test_each_kind_of_page_has_its_addresses(
    members: dict[str, Any], wrong: str, user_without_purchase: User, shop: Shop
) -> None:
    """A missing, further or invalid parameter is named in a 400."""
    body = {"items": [{"price": "lifetime"}], **members}
    answer = await shop.post("/checkout", user_without_purchase, body)
    assert wrong in read_problem(answer, 400, "invalid-request")["data"]
