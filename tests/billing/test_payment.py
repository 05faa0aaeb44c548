"""A change that is not paid does not take effect, and the answer says how to pay."""

import time
from typing import Any

import pytest

from tests.billing.conftest import Subscribe
from tests.billing.subscriber import Subscriber
from tests.problem import read_problem


async def _change_unpaid(subscriber: Subscriber, **wanted: Any) -> dict[str, Any]:
    document = read_problem(await subscriber.ask("change", **wanted), 402, "payment-required")
    payment: dict[str, Any] = document["data"]["payment"]
    return payment


@pytest.mark.parametrize("card", ["chargeCustomerFail", "authenticationRequired"])
async def test_nobody_gets_what_is_not_paid(card: str, subscribe: Subscribe) -> None:
    """With a card that fails, or asks for the bank's check, the old plan stays as it was."""
    subscriber = await subscribe()
    await subscriber.use_card(card)
    before = await subscriber.read_row()
    payment = await _change_unpaid(subscriber, quantity=100)
    row = await subscriber.read_row()
    assert (row["quantity"], row["status"]) == (before["quantity"], "active")
    [invoice] = await subscriber.frontend.list_records(
        "invoices", token=subscriber.user.token, filter="status = 'open'"
    )
    assert invoice["stripe_id"] == payment["invoice"]
    assert invoice["hosted_invoice_url"] == payment["hosted_invoice_url"]
    assert "_secret_" in payment["client_secret"]


async def test_the_change_takes_effect_when_it_is_paid(subscribe: Subscribe) -> None:
    """After the bank's check the plan changes by itself, and the row shows it."""
    subscriber = await subscribe()
    await subscriber.use_card("authenticationRequired")
    payment = await _change_unpaid(subscriber, price="pro_yearly")
    intent = payment["client_secret"].partition("_secret_")[0]
    await subscriber.account.control(f"payment_intents/{intent}/authenticate")
    await subscriber.account.wait_delivered()
    assert len(await subscriber.list_invoices()) == 2
    again = await subscriber.do("change", price="pro_yearly")
    assert again["items"][0]["price"] == (await subscriber.read_row())["items"][0]["price"]
    assert len(await subscriber.list_invoices()) == 2


async def test_asking_again_names_the_same_invoice(subscribe: Subscribe) -> None:
    """Repeating an unpaid change returns its open invoice, not a second one."""
    subscriber = await subscribe()
    await subscriber.use_card("chargeCustomerFail")
    first = await _change_unpaid(subscriber, quantity=3)
    assert await _change_unpaid(subscriber, quantity=3) == first
    assert len(await subscriber.list_invoices()) == 2


async def test_a_smaller_plan_needs_no_payment(subscribe: Subscribe) -> None:
    """A cheaper price is credited at once, also with a card that declines."""
    subscriber = await subscribe()
    await subscriber.do("change", quantity=9)
    await subscriber.use_card("chargeCustomerFail")
    preview = await subscriber.do("preview", quantity=1)
    assert preview["due_now"] == 0
    assert preview["total"] < 0
    await subscriber.do("change", quantity=1, proration_date=preview["proration_date"])
    assert (await subscriber.read_row())["quantity"] == 1


async def test_what_is_owed_comes_first(subscribe: Subscribe) -> None:
    """A subscription that is past due can't change its plan, but it can be canceled."""
    subscriber = await subscribe()
    await subscriber.account.control(f"subscriptions/{subscriber.id}/past_due")
    answer = await subscriber.ask("change", quantity=2)
    document = read_problem(answer, 409, "conflict")
    assert document["data"]["subscription"]["code"] == "subscription_unpaid"
    assert (await subscriber.do("cancel", when="now"))["status"] == "canceled"


async def test_a_trial_changes_plan_for_nothing(subscribe: Subscribe) -> None:
    """Within a trial nothing is due now, and the renewal is previewed."""
    subscriber = await subscribe()
    await subscriber.account.create(
        f"subscriptions/{subscriber.id}", trial_end=int(time.time()) + 7 * 86_400
    )
    await subscriber.account.wait_delivered()
    preview = await subscriber.do("preview", quantity=4)
    assert preview["due_now"] == 0
    await subscriber.do("change", quantity=4)
    row = await subscriber.read_row()
    assert (row["quantity"], row["status"]) == (4, "trialing")
