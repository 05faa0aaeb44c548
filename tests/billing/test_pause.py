"""While the seller collects nothing, a request that would give nothing is a 409 that says so."""

from typing import Any

import pytest

from tests.billing.conftest import Subscribe
from tests.problem import read_problem
from tests.shop import ORIGIN

_MEANINGLESS: list[tuple[str, dict[str, Any]]] = [
    ("change", {"price": "pro_yearly"}),
    ("change", {"quantity": 3}),
    ("change", {"price": "pro_yearly", "when": "period_end"}),
    ("preview", {"quantity": 3}),
    ("resume", {}),
]


@pytest.mark.parametrize("behavior", ["void", "keep_as_draft", "mark_uncollectible"])
async def test_what_a_pause_makes_meaningless_is_refused(
    behavior: str, subscribe: Subscribe
) -> None:
    """No plan is charged, no discount used up, and nothing is said to be resumed."""
    subscriber = await subscribe()
    pause = {"pause_collection[behavior]": behavior}
    await subscriber.account.create(f"subscriptions/{subscriber.id}", **pause)
    coupon = await subscriber.account.create("coupons", percent_off=20, duration="once")
    code = f"PAUSED{behavior.upper().replace('_', '')}"
    promotion = {"promotion[type]": "coupon", "promotion[coupon]": coupon["id"]}
    await subscriber.account.create("promotion_codes", code=code, **promotion)
    before = await subscriber.read(), await subscriber.list_invoices()
    for what, body in (*_MEANINGLESS, ("discount", {"promotion_code": code})):
        document = read_problem(await subscriber.ask(what, **body), 409, "conflict")
        assert document["data"]["subscription"]["code"] == "collection_paused", what
    for flow in (
        {"type": "subscription_update"},
        {"type": "subscription_update_confirm", "quantity": 3},
    ):
        body = {"return_url": ORIGIN, "flow": flow | {"subscription": subscriber.id}}
        answer = await subscriber.shop.post("/portal", subscriber.user, body)
        assert read_problem(answer, 409)["data"]["subscription"]["code"] == "collection_paused"
    assert (await subscriber.read(), await subscriber.list_invoices()) == before


async def test_a_paused_subscription_can_be_left(subscribe: Subscribe) -> None:
    """An end is planned, taken back, and made at once, as without a pause."""
    subscriber = await subscribe()
    await subscriber.account.create(
        f"subscriptions/{subscriber.id}", **{"pause_collection[behavior]": "void"}
    )
    assert (await subscriber.do("cancel"))["cancel_at"]
    assert (await subscriber.do("resume"))["cancel_at"] is None
    assert (await subscriber.do("cancel", when="now"))["status"] == "canceled"
