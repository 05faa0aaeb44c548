"""The complete Stripe object on each row: kept, and seen by superusers only."""

from typing import Any

import httpx
import pytest

from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.delivery import Sender, build_customer, build_event, build_subscription
from tests.frontend import Frontend, User
from tests.operations.operator import run_gateway
from tests.stripe_account import StripeAccount

Json = dict[str, Any]
#: Columns that no user may see, by collection.
HIDDEN = {
    "subscriptions": ("stripe_object", "version", "cancellation_details"),
    "charges": ("stripe_object", "version", "outcome", "balance_transaction"),
    "products": ("stripe_object", "version"),
}


@pytest.fixture
async def buyer(frontend: Frontend, sender: Sender) -> tuple[User, str]:
    """A user and the id of their Stripe customer."""
    user = await frontend.sign_up()
    customer = build_customer(user.id)
    await sender.send(build_event("customer.created", customer))
    return user, customer["id"]


def _subscription(customer: str) -> Json:
    details = {"reason": "cancellation_requested", "comment": "our note", "feedback": None}
    return build_subscription(
        customer, cancellation_details=details, invented_by_stripe={"deep": [1, None, "é"]}
    )


@pytest.mark.parametrize("name", ["ascii", "naïve"])
async def test_a_row_keeps_the_whole_object(
    name: str, sender: Sender, dashboard: Dashboard, stack: Stack
) -> None:
    """Also fields without a column, in any alphabet; pruning the payload takes nothing away."""
    subscription = build_subscription("cus_whole", invented_by_stripe={"deep": [1, None, name]})
    event = build_event("customer.subscription.created", subscription, created=1_600_000_000)
    await sender.send(event)

    row = await dashboard.find("subscriptions", subscription["id"])
    assert row
    assert row["stripe_object"] == subscription

    await run_gateway(stack, "events", "prune", "--older-than", "1000")
    pruned = await dashboard.find("stripe_events", event["id"])
    assert pruned
    assert not pruned["payload"]
    assert await dashboard.find("subscriptions", subscription["id"]) == row


async def test_the_object_and_the_columns_are_of_one_state(
    sender: Sender, dashboard: Dashboard
) -> None:
    """A newer event replaces both, an older one neither."""
    subscription = _subscription("cus_states")
    for status, second in (("active", 5), ("past_due", 9), ("trialing", 7)):
        shown = subscription | {"status": status}
        await sender.send(
            build_event("customer.subscription.updated", shown, created=1_700_000_000 + second)
        )
    row = await dashboard.find("subscriptions", subscription["id"])
    assert row
    assert row["status"] == row["stripe_object"]["status"] == "past_due"


async def test_fields_without_a_column_decide_as_well(sender: Sender, dashboard: Dashboard) -> None:
    """Two states of one second that differ only in the object end in the later one."""
    first = build_subscription("cus_second", description="one")
    second = first | {"description": "two"}
    events = [
        build_event(
            "customer.subscription.updated", second, {"description": "one"}, created=1_700_000_000
        ),
        build_event("customer.subscription.created", first, created=1_700_000_000),
    ]
    third = build_event(
        "customer.subscription.updated",
        first | {"description": "three"},
        {"description": "two"},
        created=1_700_000_000,
    )
    for event in (third, *events):
        await sender.send(event)
    row = await dashboard.find("subscriptions", first["id"])
    assert row
    assert row["stripe_object"]["description"] == "three"


async def test_users_do_not_see_the_object(
    buyer: tuple[User, str], sender: Sender, frontend: Frontend, dashboard: Dashboard
) -> None:
    """Not by REST, expand, realtime, or as guests; the superuser sees it."""
    user, customer = buyer
    subscription = _subscription(customer)
    product = {"id": f"prod_{customer}", "object": "product", "name": "Pro", "active": True}
    charge = {
        "id": f"ch_{customer}",
        "object": "charge",
        "customer": customer,
        "outcome": {"risk_score": 64, "seller_message": "Blocked"},
        "balance_transaction": "txn_1",
    }
    session = {
        "id": f"cs_{customer}",
        "object": "checkout.session",
        "customer": customer,
        "subscription": subscription["id"],
    }
    topics = ("subscriptions/*", "charges/*", "products/*")
    async with frontend.subscribe(*topics, token=user.token) as feed:
        for type, item in (
            ("customer.subscription.created", subscription),
            ("charge.succeeded", charge),
            ("product.created", product),
            ("checkout.session.completed", session),
        ):
            await sender.send(build_event(type, item))
        changes = [await feed.next() for _ in topics]

    seen = {change.topic.split("/")[0]: change.record for change in changes}
    for name, columns in HIDDEN.items():
        assert not seen[name].keys() & set(columns), name
        token = "" if name == "products" else user.token
        rows = await frontend.list_records(name, token=token)
        assert rows
        assert not any(row.keys() & set(columns) for row in rows), name
    path = "/api/collections/checkout_sessions/records"
    page = await frontend.call("GET", path, token=user.token, expand="subscription")
    [expanded] = [row["expand"]["subscription"] for row in page["items"]]
    assert expanded["id"]
    assert "stripe_object" not in expanded
    row = await dashboard.find("charges", charge["id"])
    assert row
    assert row["outcome"]["risk_score"] == row["stripe_object"]["outcome"]["risk_score"] == 64


@pytest.mark.parametrize(
    "query",
    [
        {"filter": "stripe_object.status = 'active'"},
        {"filter": "stripe_object ~ 'note'"},
        {"filter": "cancellation_details.comment ~ 'note'"},
        {"filter": "customer.stripe_object ~ 'a'"},
        {"sort": "stripe_object"},
        {"sort": "-stripe_object.created"},
    ],
)
async def test_users_do_not_filter_or_sort_by_the_object(
    query: dict[str, str], buyer: tuple[User, str], frontend: Frontend
) -> None:
    """A filter would answer yes or no about what it can't read."""
    user, _ = buyer
    with pytest.raises(httpx.HTTPStatusError) as refused:
        await frontend.list_records("subscriptions", token=user.token, **query)
    assert refused.value.response.status_code == 400


async def test_only_superusers_see_stripe_objects(
    buyer: tuple[User, str], sender: Sender, frontend: Frontend, dashboard: Dashboard
) -> None:
    """The quote of a user's own customer is not theirs to read."""
    user, customer = buyer
    quote = {"id": f"qt_{customer}", "object": "quote", "customer": customer, "created": 1}
    await sender.send(build_event("quote.created", quote))

    for token in (user.token, ""):
        with pytest.raises(httpx.HTTPStatusError) as refused:
            await frontend.list_records("stripe_objects", token=token)
        assert refused.value.response.status_code == 403
    [row] = await dashboard.list("stripe_objects", f"stripe_id = '{quote['id']}'")
    assert (row["object"], row["stripe_object"]) == ("quote", quote)


async def test_secrets_do_not_reach_the_row(account: StripeAccount, dashboard: Dashboard) -> None:
    """A payment at Stripe is mirrored without its client secret."""
    intent = await account.create("payment_intents", amount=500, currency="usd")
    assert intent["client_secret"]
    await account.wait_delivered()
    row = await dashboard.find("payments", intent["id"])
    assert row
    assert row["stripe_object"] == intent | {"client_secret": None}


async def test_a_deletion_keeps_the_object(account: StripeAccount, dashboard: Dashboard) -> None:
    """The row of a deleted coupon shows it as it last was."""
    coupon = await account.create("coupons", percent_off=10, duration="once", name="Spring")
    await account.delete(f"coupons/{coupon['id']}")
    await account.wait_delivered()
    row = await dashboard.find("coupons", coupon["id"])
    assert row
    assert row["deleted"]
    assert row["stripe_object"]["name"] == "Spring"


async def test_long_lists_are_kept_in_full(account: StripeAccount, dashboard: Dashboard) -> None:
    """Events show ten lines of an invoice; the stored object has all that the gateway read."""
    customer = await account.create("customers", email="long@example.com")
    for number in range(12):
        await account.create(
            "invoiceitems", customer=customer["id"], amount=100 + number, currency="usd"
        )
    invoice = await account.create(
        "invoices", customer=customer["id"], pending_invoice_items_behavior="include"
    )
    await account.wait_delivered()
    row = await dashboard.find("invoices", invoice["id"])
    assert row
    assert len(row["stripe_object"]["lines"]["data"]) == len(row["lines"]) == 12


async def test_superusers_receive_the_object_live(
    sender: Sender, frontend: Frontend, dashboard: Dashboard
) -> None:
    """A realtime message to a superuser shows what the record shows."""
    product = {"id": "prod_live", "object": "product", "name": "Live", "more": {"deep": [1]}}
    async with frontend.subscribe("products/*", token=dashboard.token) as feed:
        await sender.send(build_event("product.created", product))
        change = await feed.next(lambda change: change.record["stripe_id"] == "prod_live")
    assert change.record["stripe_object"] == product
