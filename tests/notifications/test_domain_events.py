"""Domain events: each once for what happened, none for what did not."""

from collections import Counter
from typing import Any

import pytest

from gateway.notifications.domain_events import find_domain_events
from gateway.notifications.handler_events import expand_names, types_of
from tests.delivery import Json
from tests.frontend import Frontend
from tests.shop import Shop
from tests.stripe_account import StripeAccount

_UPDATED = "customer.subscription.updated"


def _items(price: str, quantity: int = 1, period: int = 1) -> Json:
    item = {"price": {"id": price}, "quantity": quantity, "current_period_end": period}
    return {"object": "list", "data": [item]}


@pytest.mark.parametrize(
    ("type", "item", "previous", "expected"),
    [
        ("customer.subscription.created", {"status": "active"}, None, "subscription.started"),
        ("customer.subscription.created", {"status": "trialing"}, None, "subscription.started"),
        ("customer.subscription.created", {"status": "incomplete"}, None, ""),
        (_UPDATED, {"status": "active"}, {"status": "incomplete"}, "subscription.started"),
        (_UPDATED, {"status": "incomplete_expired"}, {"status": "incomplete"}, ""),
        (_UPDATED, {"status": "active"}, {"status": "trialing"}, "subscription.changed"),
        (_UPDATED, {"status": "past_due"}, {"status": "active"}, "subscription.changed"),
        (_UPDATED, {"items": _items("b")}, {"items": _items("a")}, "subscription.changed"),
        (_UPDATED, {"items": _items("a", 2)}, {"items": _items("a")}, "subscription.changed"),
        (_UPDATED, {"items": _items("a", 1, 2)}, {"items": _items("a")}, ""),
        (_UPDATED, {"cancel_at": 9}, {"cancel_at": None}, "subscription.changed"),
        (_UPDATED, {"metadata": {"a": "b"}}, {"metadata": {}, "latest_invoice": "in_1"}, ""),
        (_UPDATED, {"status": "active"}, None, ""),
        ("customer.subscription.deleted", {"status": "canceled"}, None, "subscription.ended"),
        ("customer.subscription.deleted", {"status": "incomplete_expired"}, None, ""),
        ("invoice.payment_failed", {}, None, "payment.failed"),
        ("checkout.session.async_payment_failed", {}, None, "payment.failed"),
        ("refund.created", {"status": "succeeded"}, None, "refund.completed"),
        ("refund.created", {"status": "pending"}, None, ""),
        ("refund.updated", {"status": "succeeded"}, {"status": "pending"}, "refund.completed"),
        ("refund.updated", {"status": "succeeded"}, {"metadata": {}}, ""),
        ("refund.updated", {"status": "failed"}, {"status": "pending"}, ""),
        ("charge.dispute.created", {}, None, "dispute.opened"),
        ("charge.dispute.updated", {}, {"status": "needs_response"}, ""),
    ],
)
def test_an_event_means(type: str, item: Json, previous: Json | None, expected: str) -> None:
    """The object and its previous values decide; renewals and metadata are no change."""
    assert find_domain_events(type, item, previous) == ({expected} if expected else set())


@pytest.mark.parametrize("junk", [None, 1, "x", [], [1], {}, {"data": 1}, {"data": [None, 1]}])
def test_junk_is_no_error(junk: Any) -> None:
    """Values of any type in an event raise nothing."""
    found = find_domain_events(_UPDATED, {"items": junk, "status": junk}, {"items": _items("a")})
    assert found <= {"subscription.changed"}


def test_a_pattern_names_domain_events_too() -> None:
    """`subscription.*` are all of them, and lead to the types of Stripe that cause them."""
    names = expand_names(["subscription.*"])
    assert names == {"subscription.started", "subscription.changed", "subscription.ended"}
    assert types_of(names) == {
        "customer.subscription.created",
        "customer.subscription.updated",
        "customer.subscription.deleted",
    }


async def _list_events(account: StripeAccount) -> list[dict[str, Any]]:
    """Return all events: those of tests that advanced the clock come before the newest."""
    events = page = await account.list("events")
    while len(page) == 100:
        page = await account.list("events", starting_after=page[-1]["id"])
        events = events + page
    return events


async def test_a_purchase_and_its_end_are_told_once(
    frontend: Frontend, shop: Shop, account: StripeAccount
) -> None:
    """The events of a real history: completed, started and ended once, one change for the end."""
    user = await frontend.sign_up()
    await shop.pay(await shop.check_out(user, "pro_monthly"))
    await account.wait_delivered()
    [row] = await frontend.list_records("subscriptions", token=user.token)
    path = f"{shop.url}/subscriptions/{row['stripe_id']}/cancel"
    for when in ("period_end", "now"):
        answer = await shop.http.post(path, json={"when": when}, headers=user.bearer)
        assert answer.status_code == 200, answer.text
    await account.wait_delivered()
    found: Counter[str] = Counter()
    for event in await _list_events(account):
        item = event["data"]["object"]
        if row["stripe_id"] in (item.get("id"), item.get("subscription")):
            previous = event["data"].get("previous_attributes")
            found.update(find_domain_events(event["type"], item, previous))
    assert found.pop("subscription.changed") >= 1
    assert found == {"purchase.completed": 1, "subscription.started": 1, "subscription.ended": 1}
