"""Changes at the end of the period, and subscriptions that a schedule of the seller's manages."""

import asyncio
import time
from typing import Any

import pytest

from tests.billing.conftest import MakeFault, Subscribe
from tests.billing.subscriber import Subscriber
from tests.problem import read_problem
from tests.shop import ORIGIN

_LATER: dict[str, Any] = {"price": "pro_yearly", "when": "period_end"}


async def _renew(subscriber: Subscriber) -> None:
    await subscriber.account.control(f"subscriptions/{subscriber.id}/renew")
    await subscriber.account.wait_delivered()


async def test_a_planned_change_comes_with_the_next_period(subscribe: Subscribe) -> None:
    """Until then nothing is charged and the plan is shown; then the new price alone is billed."""
    subscriber = await subscribe("pro_yearly")
    [paid] = await subscriber.list_invoices()
    later = {"price": "pro_monthly", "quantity": 2, "when": "period_end"}
    preview = await subscriber.do("preview", **later)
    end = (await subscriber.read())["items"]["data"][0]["current_period_end"]
    assert (preview["due_now"], preview["credit"], preview["takes_effect_at"]) == (0, 0, end)
    assert (preview["total"], preview["proration_date"]) == (2_000, None)
    answer = await subscriber.do("change", **later)
    planned = answer["scheduled_change"]
    [item] = planned["items"]
    assert (planned["at"], item["quantity"]) == (end, 2)
    assert answer["items"][0]["price"] != item["price"]
    assert await subscriber.list_invoices() == [paid]
    [row] = await subscriber.frontend.list_records(
        "subscription_schedules", token=subscriber.user.token
    )
    assert (row["status"], row["phases"][1]["items"][0]["price"]) == ("active", item["price"])
    await _renew(subscriber)
    renewal, _ = await subscriber.list_invoices()
    assert (renewal["total"], renewal["status"]) == (preview["total"], "paid")
    row = await subscriber.read_row()
    assert [(each["price"], each["quantity"]) for each in row["items"]] == [(item["price"], 2)]


@pytest.mark.parametrize("longest", [True, False], ids=["the year", "the month"])
async def test_a_planned_change_comes_with_the_end_of_its_item(
    subscribe: Subscribe, longest: bool
) -> None:
    """Of items with a year and a month, each changes when its own paid period ends."""
    subscriber = await subscribe("pro_yearly", "pro_monthly")
    items = sorted((await subscriber.read())["items"]["data"], key=_read_end)
    item = items[-1] if longest else items[0]
    later = {"item": item["id"], "quantity": 2, "when": "period_end"}
    preview = await subscriber.do("preview", **later)
    planned = (await subscriber.do("change", **later))["scheduled_change"]
    assert planned["at"] == preview["takes_effect_at"] == _read_end(item)


def _read_end(item: dict[str, Any]) -> int:
    return int(item["current_period_end"])


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("resume", {}),
        ("cancel", {}),
        ("cancel", {"when": "now"}),
        ("change", {"quantity": 3}),
        ("change", {"price": "pro_monthly"}),
        ("change", {"price": "pro_monthly", "when": "period_end"}),
    ],
)
async def test_a_planned_change_can_be_taken_back(
    what: str, body: dict[str, Any], subscribe: Subscribe
) -> None:
    """By /resume, by an end, by another change, and by asking for the present plan."""
    subscriber = await subscribe()
    assert (await subscriber.do("change", **_LATER))["scheduled_change"]
    answer = await subscriber.do(what, **body)
    assert answer["scheduled_change"] is None
    assert bool(answer["cancel_at"]) is (what == "cancel" and not body)
    assert not (await subscriber.read())["schedule"]


async def test_another_plan_replaces_the_planned_one(subscribe: Subscribe) -> None:
    """To plan twice, also in one request sent again, leaves one schedule with the last wish."""
    subscriber = await subscribe()
    for quantity in (2, 2, 5):
        answer = await subscriber.do("change", quantity=quantity, when="period_end")
        assert [item["quantity"] for item in answer["scheduled_change"]["items"]] == [quantity]
    schedules = await subscriber.account.list(
        "subscription_schedules", customer=(await subscriber.read())["customer"]
    )
    assert [schedule["status"] for schedule in schedules] == ["active"]


async def test_many_clicks_plan_once(subscribe: Subscribe) -> None:
    """Requests at once, with different keys as well, leave one schedule with one plan."""
    subscriber = await subscribe()
    asked = [subscriber.do("change", key=key, **_LATER) for key in ("", "", "", "a", "b")]
    for answer in await asyncio.gather(*asked):
        assert len(answer["scheduled_change"]["items"]) == 1
    customer = (await subscriber.read())["customer"]
    schedules = await subscriber.account.list("subscription_schedules", customer=customer)
    assert [schedule["status"] for schedule in schedules] == ["active"]


async def test_a_change_can_wait_for_the_end_of_a_trial(subscribe: Subscribe) -> None:
    """A trial goes on as it is, and the other price is the first that is billed."""
    subscriber = await subscribe()
    week = int(time.time()) + 7 * 86_400
    path = f"subscriptions/{subscriber.id}"
    await subscriber.account.create(path, trial_end=week, proration_behavior="none")
    await subscriber.account.wait_delivered()
    answer = await subscriber.do("change", **_LATER)
    assert (answer["status"], answer["scheduled_change"]["at"]) == ("trialing", week)
    await _renew(subscriber)
    assert (await subscriber.list_invoices())[0]["total"] == 10_000


async def test_a_plan_that_could_not_be_written_leaves_nothing(
    subscribe: Subscribe, faults: MakeFault
) -> None:
    """When Stripe fails half-way, no schedule keeps the subscriber from changing anything."""
    subscriber = await subscribe()
    await faults("/v1/subscription_schedules/", status=400, times=1)
    answer = await subscriber.ask("change", **_LATER)
    assert answer.status_code >= 400
    await subscriber.account.clear_faults()
    assert not (await subscriber.read())["schedule"]
    assert (await subscriber.do("change", **_LATER))["scheduled_change"]


async def test_an_end_and_a_planned_change_exclude_each_other(subscribe: Subscribe) -> None:
    """A subscription that is about to end must be resumed before it changes."""
    subscriber = await subscribe()
    await subscriber.do("cancel")
    document = read_problem(await subscriber.ask("change", **_LATER), 409, "conflict")
    assert document["data"]["subscription"]["code"] == "subscription_ending"


async def test_what_a_planned_change_would_undo_is_refused(subscribe: Subscribe) -> None:
    """A discount, and the portal's pages for one subscription, need the plan taken back."""
    subscriber = await subscribe()
    await subscriber.do("change", **_LATER)
    flow = {"type": "subscription_cancel", "subscription": subscriber.id}
    body = {"return_url": ORIGIN, "flow": flow}
    answer = await subscriber.shop.post("/portal", subscriber.user, body)
    assert read_problem(answer, 409)["data"]["subscription"]["code"] == "change_planned"


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("change", {"quantity": 2}),
        ("change", _LATER),
        ("preview", {"quantity": 2}),
        ("cancel", {}),
        ("cancel", {"when": "now"}),
        ("resume", {}),
    ],
)
async def test_a_schedule_of_the_sellers_decides_alone(
    what: str, body: dict[str, Any], subscribe: Subscribe
) -> None:
    """Every request is a 409 that says so, and the schedule stays."""
    subscriber = await subscribe()
    await subscriber.account.create("subscription_schedules", from_subscription=subscriber.id)
    before = await subscriber.read()
    document = read_problem(await subscriber.ask(what, **body), 409, "conflict")
    assert document["data"]["subscription"]["code"] == "subscription_scheduled"
    assert await subscriber.read() == before
