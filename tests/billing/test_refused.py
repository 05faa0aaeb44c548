"""Requests that /subscriptions refuses: each gets a clear problem and changes nothing at Stripe."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import pytest_asyncio

from gateway.dev.gateway_process import GatewayProcess
from tests.billing.conftest import Subscribe
from tests.billing.subscriber import Subscriber
from tests.problem import read_problem
from tests.shop import ORIGIN

_ACTIONS: dict[str, dict[str, Any]] = {
    "preview": {"quantity": 2},
    "change": {"quantity": 2},
    "cancel": {},
    "resume": {},
    "discount": {"promotion_code": "WELCOME"},
}


@pytest_asyncio.fixture
async def subscriber(subscribe: Subscribe) -> Subscriber:
    """A subscriber; no test changes the subscription."""
    return await subscribe()


@pytest.mark.parametrize("what", _ACTIONS)
async def test_anothers_subscription_is_none(what: str, subscribe: Subscribe) -> None:
    """Another user's id, an unknown id and an invalid id get the same 404."""
    subscriber, other = await subscribe(), await subscribe()
    before = await other.read()
    names = (other.id, "sub_never", "%27%20OR%201%3D1", "sub_%00", before["customer"], "x" * 255)
    problems = [
        read_problem(await subscriber.of(name).ask(what, **_ACTIONS[what]), 404, "no-subscription")
        for name in names
    ]
    assert all(problem == problems[0] for problem in problems)
    assert await other.read() == before


@pytest.mark.parametrize("what", _ACTIONS)
async def test_a_token_is_needed(what: str, subscriber: Subscriber) -> None:
    """A guest and an invented token get 401."""
    url = f"{subscriber.shop.url}/subscriptions/{subscriber.id}/{what}"
    for headers in ({}, {"Authorization": "Bearer a.b.c"}):
        answer = await subscriber.shop.http.post(url, json=_ACTIONS[what], headers=headers)
        read_problem(answer, 401, "unauthenticated")


_TAMPERED: dict[str, tuple[dict[str, Any], str]] = {
    "quantity 0": ({"quantity": 0}, "quantity"),
    "quantity -1": ({"quantity": -1}, "quantity"),
    "quantity 1.5": ({"quantity": 1.5}, "quantity"),
    "quantity 2.0": ({"quantity": 2.0}, "quantity"),
    "quantity a text": ({"quantity": "2"}, "quantity"),
    "quantity true": ({"quantity": True}, "quantity"),
    "quantity beyond the limit": ({"quantity": 1_000_001}, "quantity"),
    "quantity beyond 64 bits": ({"quantity": 10**30}, "quantity"),
    "nothing": ({}, "price"),
    "a one-time price": ({"price": "lifetime"}, "price"),
    "an unknown price": ({"price": "price_unknown"}, "price"),
    "no text": ({"price": 7}, "price"),
    "an empty price": ({"price": ""}, "price"),
    "another's item": ({"item": "si_other", "quantity": 2}, "item"),
    "an amount": ({"quantity": 2, "unit_amount": 1}, "unit_amount"),
    "price_data": ({"price_data": {"unit_amount": 1}}, "price_data"),
    "items": ({"items": [{"price": "pro_yearly"}]}, "items"),
    "a coupon": ({"quantity": 2, "coupon": "free"}, "coupon"),
    "proration_behavior": ({"quantity": 2, "proration_behavior": "none"}, "proration_behavior"),
    "trial_end": ({"quantity": 2, "trial_end": 4102444800}, "trial_end"),
    "metadata": ({"quantity": 2, "metadata": {"pocketbase_user": "x"}}, "metadata"),
    "customer": ({"quantity": 2, "customer": "cus_other"}, "customer"),
}


@pytest.mark.parametrize("case", _TAMPERED)
async def test_a_tampered_change_is_refused(case: str, subscriber: Subscriber) -> None:
    """The member that is wrong is named, by the preview as well, and nothing changes."""
    before = await subscriber.read()
    body, member = _TAMPERED[case]
    for what in ("preview", "change"):
        document = read_problem(await subscriber.ask(what, **body), 400, "invalid-request")
        assert member in document["data"]
    assert await subscriber.read() == before


@pytest.mark.parametrize("shift", [-3600, 3600, 20 * 86_400])
async def test_nobody_chooses_what_is_prorated(shift: int, subscriber: Subscriber) -> None:
    """A date long after or before now would make a plan cheap: only a fresh preview's is taken."""
    before = await subscriber.read()
    date = int(time.time()) + shift
    answer = await subscriber.ask("change", quantity=50, proration_date=date)
    document = read_problem(answer, 400, "invalid-request")
    assert document["data"]["proration_date"]["code"] == "preview_expired"
    assert await subscriber.read() == before


async def test_an_archived_price_is_kept_but_not_sold(
    subscribe: Subscribe, subscriber: Subscriber
) -> None:
    """Subscribers of an archived price may buy more of it; others can't change to it."""
    account = subscriber.account
    product = await account.create("products", name="Short-lived")
    monthly = {"recurring[interval]": "month", "currency": "usd", "unit_amount": 500}
    price = (await account.create("prices", product=product["id"], **monthly))["id"]
    euros = await account.create("prices", product=product["id"], **monthly | {"currency": "eur"})
    await account.wait_delivered()
    holder = await subscribe(price)
    await account.create(f"prices/{price}", active="false")
    await account.wait_delivered()
    for name, code in ((price, "price_inactive"), (euros["id"], "price_currency")):
        answer = await subscriber.ask("change", price=name)
        document = read_problem(answer, 400, "invalid-request")
        assert document["data"]["price"]["code"] == code
    assert (await holder.do("change", quantity=3))["items"][0]["quantity"] == 3


async def test_of_several_items_one_is_named(subscribe: Subscribe) -> None:
    """A subscription of several items changes by item; without one it is clear what is missing."""
    subscriber = await subscribe()
    account = subscriber.account
    product = await account.create("products", name="Seats")
    monthly = {"recurring[interval]": "month", "currency": "usd", "unit_amount": 300}
    seats = await account.create("prices", product=product["id"], **monthly)
    added = await account.create(
        "subscription_items", subscription=subscriber.id, price=seats["id"]
    )
    await account.wait_delivered()
    document = read_problem(await subscriber.ask("change", quantity=4), 400, "invalid-request")
    assert document["data"]["item"]["code"] == "item_required"
    taken = await subscriber.ask("change", item=added["id"], price="pro_monthly")
    document = read_problem(taken, 400, "invalid-request")
    assert document["data"]["price"]["code"] == "price_taken"
    changed = await subscriber.do("change", item=added["id"], quantity=4)
    assert {item["id"]: item["quantity"] for item in changed["items"]}[added["id"]] == 4
    assert len(changed["items"]) == 2


async def test_a_schedule_decides_alone(subscriber: Subscriber) -> None:
    """A customer can't change a subscription that a schedule of the seller changes."""
    await subscriber.account.create("subscription_schedules", from_subscription=subscriber.id)
    document = read_problem(await subscriber.ask("change", quantity=2), 409, "conflict")
    assert document["data"]["subscription"]["code"] == "subscription_scheduled"


async def test_who_asks_too_often_is_told_when_to_come_back(
    subscriber: Subscriber, start_gateway: Callable[..., GatewayProcess]
) -> None:
    """Requests of one user are counted together, whichever subscription or page they name."""
    there = subscriber.at(start_gateway(GATEWAY_RATE_LIMIT_USER="3/minute").url)
    await there.do("preview", quantity=2)
    read_problem(await there.of("sub_never").ask("cancel"), 404)
    flow = {"type": "payment_method_update"}
    opened = await there.shop.post("/portal", there.user, {"return_url": ORIGIN, "flow": flow})
    assert opened.status_code == 200
    answer = await there.ask("change", quantity=2)
    read_problem(answer, 429, "rate-limited")
    assert int(answer.headers["retry-after"]) > 0
    assert (await subscriber.read_row())["quantity"] == 1
