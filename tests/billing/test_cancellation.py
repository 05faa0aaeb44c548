"""Canceling now or later, taking it back, and beginning again after a pause."""

import asyncio
import time
from secrets import token_hex

import pytest

from tests.billing.conftest import Subscribe
from tests.problem import read_problem
from tests.stripe_account import StripeAccount


async def test_a_subscription_runs_out_and_is_kept(subscribe: Subscribe) -> None:
    """It ends with what is paid, unless that is taken back; the row says so each time at once."""
    subscriber = await subscribe()
    async with subscriber.account.holding_deliveries():
        canceled = await subscriber.do("cancel", feedback="unused", comment="On leave.")
        row = await subscriber.read_row()
        assert row["cancel_at"] == row["current_period_end"] != ""
        assert canceled["cancel_at"] > time.time()
        assert (await subscriber.read())["cancellation_details"]["feedback"] == "unused"
        kept = await subscriber.do("resume")
        assert (kept["status"], kept["cancel_at"]) == ("active", None)
        assert (await subscriber.read_row())["cancel_at"] == ""


async def test_to_ask_again_changes_nothing(subscribe: Subscribe) -> None:
    """The same wish many times, at once and later, is granted once."""
    subscriber = await subscribe()
    for what in ("cancel", "resume"):
        answers = await asyncio.gather(*(subscriber.do(what) for _ in range(5)))
        assert all(answer == answers[0] for answer in answers)
        assert await subscriber.do(what) == answers[0]
    answers = await asyncio.gather(*(subscriber.do("cancel", when="now") for _ in range(5)))
    assert {answer["status"] for answer in answers} == {"canceled"}


async def test_a_portal_cancellation_can_be_taken_back(subscribe: Subscribe) -> None:
    """Also one that Stripe's portal wrote as a date."""
    subscriber = await subscribe()
    page = await subscriber.shop.open_portal(subscriber.user)
    await subscriber.shop.press(page, action="cancel", subscription=subscriber.id)
    await subscriber.account.wait_delivered()
    before = await subscriber.read()
    assert before["cancel_at"]
    assert not before["cancel_at_period_end"]
    assert (await subscriber.do("resume"))["cancel_at"] is None


@pytest.mark.parametrize("usage_type", ["metered", "licensed"])
async def test_usage_beside_a_paid_year(
    subscribe: Subscribe, account: StripeAccount, usage_type: str
) -> None:
    """A year beside monthly usage ends with the year; a further monthly fee ends it sooner."""
    terms = {"recurring[interval]": "month", "recurring[usage_type]": usage_type}
    if usage_type == "metered":
        name = f"sold_{token_hex(4)}"
        meter = {"display_name": name, "event_name": name, "default_aggregation[formula]": "sum"}
        terms["recurring[meter]"] = (await account.create("billing/meters", **meter))["id"]
    price = await account.create(
        "prices",
        currency="usd",
        unit_amount=2,
        **{"product_data[name]": "Usage", **terms},
    )
    await account.wait_delivered()
    subscriber = await subscribe("pro_yearly", price["id"])
    ends = [item["current_period_end"] for item in (await subscriber.read())["items"]["data"]]
    canceled = await subscriber.do("cancel")
    assert canceled["cancel_at"] == (max(ends) if usage_type == "metered" else min(ends))
    assert (await subscriber.do("resume"))["cancel_at"] is None


async def test_an_end_that_was_agreed_stays(subscribe: Subscribe) -> None:
    """A later end than that of the paid period is the seller's: no detour lifts it."""
    subscriber = await subscribe()
    later = int(time.time()) + 300 * 86_400
    await subscriber.account.create(f"subscriptions/{subscriber.id}", cancel_at=later)
    document = read_problem(await subscriber.ask("resume"), 409, "conflict")
    assert document["data"]["subscription"]["code"] == "end_agreed"
    assert (await subscriber.read())["cancel_at"] == later
    assert (await subscriber.do("cancel"))["cancel_at"] < later
    assert (await subscriber.do("resume"))["cancel_at"] == later
    assert (await subscriber.read_row())["cancel_at_period_end"] is False


async def test_what_has_ended_stays_ended(subscribe: Subscribe) -> None:
    """After the end every wish but another end is a 409."""
    subscriber = await subscribe()
    async with subscriber.account.holding_deliveries():
        await subscriber.do("cancel", when="now")
        assert (await subscriber.read_row())["status"] == "canceled"
    asked = (
        ("change", {"quantity": 2}),
        ("preview", {"quantity": 2}),
        ("cancel", {}),
        ("resume", {}),
    )
    for what, body in asked:
        document = read_problem(await subscriber.ask(what, **body), 409, "conflict")
        assert document["data"]["subscription"]["code"] == "subscription_ended"


async def test_a_paused_subscription_begins_again_when_it_is_paid(subscribe: Subscribe) -> None:
    """Without a card the answer says how to pay; then the subscription is active."""
    subscriber = await subscribe()
    account, path = subscriber.account, f"subscriptions/{subscriber.id}"
    customer = (await subscriber.read())["customer"]
    pause = {"trial_settings[end_behavior][missing_payment_method]": "pause"}
    week = int(time.time()) + 7 * 86_400
    price = (await subscriber.read())["items"]["data"][0]["price"]["id"]
    new = {"customer": customer, "items[0][price]": price, "trial_end": week, **pause}
    for card in await account.list(f"customers/{customer}/payment_methods"):
        await account.create(f"payment_methods/{card['id']}/detach")
    trial = await account.create("subscriptions", **new)
    await account.create(f"subscriptions/{trial['id']}", trial_end="now")
    await account.wait_delivered()
    paused = subscriber.of(trial["id"])
    assert (await paused.read_row())["status"] == "paused", path
    first = read_problem(await paused.ask("resume"), 402, "payment-required")["data"]["payment"]
    again = read_problem(await paused.ask("resume"), 402, "payment-required")["data"]["payment"]
    assert again["invoice"] == first["invoice"]
    await account.create(f"invoices/{first['invoice']}/pay", payment_method="pm_card_visa")
    await account.wait_delivered()
    assert (await paused.do("resume"))["status"] == "active"
    assert (await paused.read_row())["status"] == "active"
