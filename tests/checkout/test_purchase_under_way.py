"""A buyer has one subscription, one trial and one such purchase under way, however they click."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gateway.dev.gateway_process import GatewayProcess
from tests.checkout.conftest import HoldWebhooks, MakePrice
from tests.dashboard import Dashboard
from tests.deadline import eventually
from tests.frontend import Frontend, User
from tests.problem import read_problem
from tests.shop import SUCCESS, Shop, build_order
from tests.stripe_account import StripeAccount


async def _read_session(account: StripeAccount, made: dict[str, str]) -> dict[str, Any]:
    return await account.read(f"checkout/sessions/{made['id']}")


async def _list_open(account: StripeAccount, user: User) -> list[str]:
    sessions = await account.list("checkout/sessions")
    return [
        session["id"]
        for session in sessions
        if session["client_reference_id"] == user.id and session["status"] == "open"
    ]


async def test_a_second_subscription_is_refused(
    user: User, shop: Shop, account: StripeAccount
) -> None:
    """A subscriber gets 409 with the portal for every recurring price; one-time prices are sold."""
    await shop.pay(await shop.check_out(user, "pro_monthly"))
    await account.wait_delivered()
    before = await account.count("checkout.session")
    for price in ("pro_monthly", "pro_yearly"):
        answer = await shop.post("/checkout", user, build_order(price))
        problem = read_problem(answer, 409, "already-subscribed")
        assert (await shop.http.get(problem["portal_url"])).status_code == 200
    assert await account.count("checkout.session") == before
    await shop.check_out(user, "lifetime")


async def test_it_is_refused_before_the_webhook_has_come(
    user: User, shop: Shop, account: StripeAccount, hold_webhooks: HoldWebhooks
) -> None:
    """Between the payment and its webhooks, neither the same nor another order is sold again."""
    async with hold_webhooks():
        await shop.pay(await shop.check_out(user, "pro_monthly"))
        for price in ("pro_monthly", "pro_yearly"):
            answer = await shop.post("/checkout", user, build_order(price))
            read_problem(answer, 409, "already-subscribed")
    assert await _list_open(account, user) == []


async def test_it_leads_to_the_sellers_portal(
    user: User, shop: Shop, account: StripeAccount, start_gateway: Callable[..., GatewayProcess]
) -> None:
    """The portal that a second one leads to is the settings' first, as /portal opens it."""
    await shop.pay(await shop.check_out(user, "pro_monthly"))
    await account.wait_delivered()
    features = {"features[payment_method_update][enabled]": "true"}
    wanted = (await account.create("billing_portal/configurations", **features))["id"]
    there = Shop(shop.http, start_gateway(GATEWAY_PORTAL_CONFIGURATIONS=wanted).url)
    answer = await there.post("/checkout", user, build_order("pro_yearly"))
    problem = read_problem(answer, 409, "already-subscribed")
    events = await account.list("events", type="billing_portal.session.created")
    [opened] = [
        event["data"]["object"]
        for event in events
        if event["data"]["object"]["url"] == problem["portal_url"]
    ]
    assert opened["configuration"] == wanted


async def test_a_new_one_may_follow_the_last(
    user: User, shop: Shop, account: StripeAccount, frontend: Frontend
) -> None:
    """When the subscription has ended, another can be bought."""
    await shop.pay(await shop.check_out(user, "pro_monthly"))
    await account.wait_delivered()
    [row] = await frontend.list_records("subscriptions", token=user.token)
    await account.delete(f"subscriptions/{row['stripe_id']}")
    await account.wait_delivered()
    await shop.pay(await shop.check_out(user, "pro_monthly"))
    await account.wait_delivered()
    rows = await frontend.list_records("subscriptions", token=user.token)
    assert sorted(row["status"] for row in rows) == ["active", "canceled"]


async def test_another_choice_closes_the_first(
    user: User, shop: Shop, account: StripeAccount
) -> None:
    """Choosing another plan closes the first session; the same choice returns the same session."""
    first = await shop.check_out(user, "pro_monthly")
    assert await shop.check_out(user, "pro_monthly") == first
    second = await shop.check_out(user, "pro_yearly")
    assert (await _read_session(account, first))["status"] == "expired"
    assert await _list_open(account, user) == [second["id"]]
    third = await shop.check_out(user, "pro_monthly")
    assert third != first
    assert await _list_open(account, user) == [third["id"]]


async def test_the_first_is_closed_behind_many_others(
    user: User, shop: Shop, account: StripeAccount
) -> None:
    """However many sessions a buyer has made since, the one under way is found."""
    first = await shop.check_out(user, "pro_monthly")
    customer = (await _read_session(account, first))["customer"]
    for _ in range(100):
        await account.create(
            "checkout/sessions",
            mode="setup",
            currency="usd",
            customer=customer,
            success_url=SUCCESS,
        )
    await shop.check_out(user, "pro_yearly")
    assert (await _read_session(account, first))["status"] == "expired"


@pytest.mark.parametrize(("group", "status"), [("", "expired"), ("apart", "open")])
async def test_a_page_closes_when_its_buyer_has_bought_elsewhere(
    group: str,
    status: str,
    user: User,
    shop: Shop,
    account: StripeAccount,
    make_price: MakePrice,
    dashboard: Dashboard,
) -> None:
    """A subscription that the seller starts closes an open page for one of its group."""
    price = await make_price(**({"group": group} if group else {}))
    opened = await shop.check_out(user, "pro_monthly")
    customer = (await _read_session(account, opened))["customer"]
    elsewhere = {"items[0][price]": price, "collection_method": "send_invoice"}
    made = await account.create("subscriptions", customer=customer, days_until_due=30, **elsewhere)
    await account.wait_delivered()
    await _wait_checked(dashboard, made["id"])
    assert (await _read_session(account, opened))["status"] == status


@pytest.mark.parametrize(
    ("way", "is_same", "status"),
    [("invoice", True, "expired"), ("session", True, "expired"), ("invoice", False, "open")],
)
async def test_a_page_closes_when_its_product_was_bought_elsewhere(
    way: str,
    is_same: bool,
    status: str,
    user: User,
    shop: Shop,
    account: StripeAccount,
    make_price: MakePrice,
    dashboard: Dashboard,
) -> None:
    """An invoice or a Payment Link that sells a once-per-buyer product closes its open page."""
    price = await make_price("", once_per_buyer="true")
    elsewhere = price if is_same else await make_price("")
    opened = await shop.check_out(user, price)
    customer = (await _read_session(account, opened))["customer"]
    buy = _pay_invoice if way == "invoice" else _pay_session
    source = await buy(account, shop, customer, elsewhere)
    await account.wait_delivered()
    await _wait_checked(dashboard, source)
    assert (await _read_session(account, opened))["status"] == status


async def _wait_checked(dashboard: Dashboard, source: str) -> None:
    """Wait until the work item of a purchase has looked at the buyer's open pages."""

    async def list_done() -> list[Any]:
        found = f"handler = 'gateway.checkout.close_page' && source = '{source}'"
        return await dashboard.list("gateway_work", f"{found} && status = 'done'")

    await eventually(list_done)


async def _pay_invoice(account: StripeAccount, shop: Shop, customer: str, price: str) -> str:
    line = {"customer": customer, "pricing[price]": price}
    await account.create("invoiceitems", **line)
    made = await account.create(
        "invoices", customer=customer, pending_invoice_items_behavior="include"
    )
    await account.create(f"invoices/{made['id']}/finalize")
    await account.create(f"invoices/{made['id']}/pay", paid_out_of_band="true")
    return str(made["id"])


async def _pay_session(account: StripeAccount, shop: Shop, customer: str, price: str) -> str:
    """Pay a session that /checkout did not make, with the item in its metadata."""
    line = {"line_items[0][price]": price, "line_items[0][quantity]": 1}
    made = await account.create(
        "checkout/sessions",
        mode="payment",
        customer=customer,
        success_url=SUCCESS,
        **line,
        **{"metadata[pocketbase_item_0]": price},
    )
    await shop.pay({"id": made["id"], "url": made["url"]})
    return str(made["id"])


async def test_an_expired_session_is_not_given_again(
    user: User, shop: Shop, account: StripeAccount
) -> None:
    """A session that was closed at Stripe is replaced, also before its webhook has come."""
    first = await shop.check_out(user, "pro_monthly")
    await account.create(f"checkout/sessions/{first['id']}/expire")
    second = await shop.check_out(user, "pro_monthly")
    assert second["id"] != first["id"]
    assert await _list_open(account, user) == [second["id"]]


async def test_a_purchase_that_was_left_is_begun_anew(
    user: User, shop: Shop, account: StripeAccount, dashboard: Dashboard
) -> None:
    """A session that is about to expire is closed and replaced, before its event has arrived."""
    first = await shop.check_out(user, "pro_monthly")
    [row] = await dashboard.list("gateway_pending_checkouts", f"buyer = '{user.id}'")
    path = f"/api/collections/gateway_pending_checkouts/records/{row['id']}"
    await dashboard.call("PATCH", path, {"since": "2026-01-01 00:00:00.000Z"})
    second = await shop.check_out(user, "pro_monthly")
    assert (await _read_session(account, first))["status"] == "expired"
    assert await _list_open(account, user) == [second["id"]]


async def test_concurrent_choices_leave_one_open(
    user: User, shop: Shop, account: StripeAccount
) -> None:
    """Of clicks on two plans at once, all are answered, and one session can be paid."""
    answers = await asyncio.gather(
        *(
            shop.post("/checkout", user, build_order(price))
            for price in ("pro_monthly", "pro_yearly") * 3
        )
    )
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert len(await _list_open(account, user)) == 1


async def test_a_trial_is_given_once_for_ever(
    user: User,
    shop: Shop,
    account: StripeAccount,
    dashboard: Dashboard,
    frontend: Frontend,
    make_price: MakePrice,
) -> None:
    """Neither after the subscription's end, nor without its row, nor as a new user again."""
    price = await make_price(trial_days="14")
    first = await shop.check_out(user, price)
    assert (await _read_session(account, first))["amount_total"] == 0
    await shop.pay(first)
    await account.wait_delivered()
    [row] = await dashboard.list("subscriptions", f"user = '{user.id}'")
    assert row["status"] == "trialing"
    await account.delete(f"subscriptions/{row['stripe_id']}")
    await account.wait_delivered()

    second = await shop.check_out(user, price)
    assert (await _read_session(account, second))["amount_total"] == 700
    await dashboard.call("DELETE", f"/api/collections/subscriptions/records/{row['id']}")
    third = await shop.check_out(user, price)
    assert (await _read_session(account, third))["amount_total"] == 700

    await frontend.call("DELETE", f"/api/collections/users/records/{user.id}", token=user.token)
    again = await frontend.sign_up(user.email)
    fourth = await shop.check_out(again, price)
    assert (await _read_session(account, fourth))["amount_total"] == 700


async def test_trials_can_not_be_collected_at_once(
    user: User, shop: Shop, account: StripeAccount, make_price: MakePrice
) -> None:
    """With several subscriptions allowed, two concurrent orders with a trial get one trial."""
    prices = [await make_price(trial_days="7", subscriptions="many") for _ in range(2)]
    await asyncio.gather(*(shop.post("/checkout", user, build_order(each)) for each in prices))
    [session] = await _list_open(account, user)
    made = await account.read(f"checkout/sessions/{session}")
    answer = await shop.press(made["url"], outcome="pay", card="4242")
    assert answer.headers["location"] == SUCCESS
    for price in prices:
        later = await shop.check_out(user, price)
        assert (await _read_session(account, later))["amount_total"] == 700


async def test_a_key_is_one_session(user: User, shop: Shop, frontend: Frontend) -> None:
    """A double click with one Idempotency-Key makes one session; other users' keys are theirs."""
    order = build_order("lifetime")
    answers = await asyncio.gather(
        *(shop.post("/checkout", user, order, key="click-1") for _ in range(3))
    )
    assert len({answer.json()["id"] for answer in answers}) == 1
    other = await shop.post("/checkout", user, order, key="click-2")
    foreign = await shop.post("/checkout", await frontend.sign_up(), order, key="click-1")
    assert len({answer.json()["id"] for answer in (answers[0], other, foreign)}) == 3


async def test_a_key_is_for_one_order(user: User, shop: Shop, account: StripeAccount) -> None:
    """The same key with another body is refused, whatever is sold."""
    for first, second in (("lifetime", "pro_monthly"), ("pro_monthly", "pro_yearly")):
        key = f"key of {first}"
        made = await shop.post("/checkout", user, build_order(first), key=key)
        before = await account.count("checkout.session")
        answer = await shop.post("/checkout", user, build_order(second), key=key)
        read_problem(answer, 409, "idempotency-key-reused")
        assert (await shop.post("/checkout", user, build_order(first), key=key)).json() == (
            made.json()
        )
        assert await account.count("checkout.session") == before


async def test_a_session_ends_when_the_plan_says(
    user: User, shop: Shop, account: StripeAccount, make_price: MakePrice
) -> None:
    """The page is open for as long as the plan says, for subscriptions and for single payments."""
    for interval in ("", "month"):
        price = await make_price(interval, expires_minutes="90")
        session = await _read_session(account, await shop.check_out(user, price))
        assert abs(session["expires_at"] - session["created"] - 5400) <= 10
