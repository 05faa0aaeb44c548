"""Deliveries that are Stripe's: durable when answered 2xx, and once, however often they come."""

import asyncio
from collections.abc import Callable

import pytest

from gateway.dev.gateway_process import GatewayProcess
from tests.dashboard import Dashboard
from tests.delivery import Json, Sender, build_customer, build_event, build_subscription
from tests.frontend import Frontend
from tests.problem import read_problem
from tests.resolution import wait_resolved
from tests.webhooks.conftest import CountRows


async def test_an_answered_event_is_durable(sender: Sender, dashboard: Dashboard) -> None:
    """After the 2xx the event and its row are stored."""
    subscription = build_subscription("cus_a", status="past_due")
    event = build_event("customer.subscription.updated", subscription)
    answer = await sender.send(event)
    assert (answer.status_code, answer.json()) == (200, {"received": True, "outcome": "applied"})

    kept = await dashboard.find("stripe_events", event["id"])
    assert kept
    assert kept["payload"] == event
    assert (kept["type"], kept["object_id"]) == (event["type"], subscription["id"])
    assert (kept["outcome"], kept["attempts"]) == ("applied", 1)
    row = await dashboard.find("subscriptions", subscription["id"])
    assert row
    assert row["status"] == "past_due"


async def test_a_repeated_event_changes_nothing(
    sender: Sender, dashboard: Dashboard, counted: dict[str, int], count_rows: CountRows
) -> None:
    """An event id that is known is answered 2xx; inbox and row stay exactly as they were."""
    subscription = build_subscription("cus_repeated")
    event = build_event("customer.subscription.created", subscription)
    await sender.send(event)
    kept = await dashboard.find("stripe_events", event["id"])
    row = await dashboard.find("subscriptions", subscription["id"])

    event["data"]["object"]["status"] = "canceled"
    answer = await sender.send(event)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "duplicate")
    assert await dashboard.find("stripe_events", event["id"]) == kept
    assert await dashboard.find("subscriptions", subscription["id"]) == row
    assert await count_rows() == {name: number + 1 for name, number in counted.items()}


async def test_a_number_of_any_size_is_taken(sender: Sender, dashboard: Dashboard) -> None:
    """JSON bounds no number: what is beyond 64 bits is stored as PocketBase's hooks hold it."""
    subscription = build_subscription("cus_many", metadata={"many": 10**40})
    answer = await sender.send(build_event("customer.subscription.created", subscription))
    assert (answer.status_code, answer.json()["outcome"]) == (200, "applied")
    row = await dashboard.find("subscriptions", subscription["id"])
    assert row
    assert row["metadata"] == {"many": 10**40}


async def test_an_event_is_known_by_its_stripe_id(sender: Sender, dashboard: Dashboard) -> None:
    """An event that an earlier release stored, under an id of another kind, is a repeated one."""
    event = build_event("customer.created", build_customer("nobody"))
    row = {"id": "0123456789abcde", "stripe_id": event["id"], "outcome": "applied", "attempts": 1}
    row["created"] = "2026-01-01 00:00:00.000Z"
    stored = await dashboard.call("POST", "/api/collections/stripe_events/records", row)
    answer = await sender.send(event)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "duplicate")
    assert await dashboard.find("stripe_events", event["id"]) == stored


async def test_stored_events_sort_by_time(sender: Sender, dashboard: Dashboard) -> None:
    """The ids of event rows are in the order of Stripe's clock, however the events arrive."""
    customer = build_customer("nobody")
    for created in (1_700_000_060, 1_600_000_000, 1_800_000_000, 1_700_000_000):
        await sender.send(build_event("customer.updated", customer, created=created))
    rows = await dashboard.list("stripe_events", f"object_id = '{customer['id']}'", sort="id")
    assert len(rows) == 4
    assert rows == sorted(rows, key=lambda row: str(row["created"]))


async def test_concurrent_copies_act_once(
    sender: Sender, dashboard: Dashboard, frontend: Frontend
) -> None:
    """Of twenty copies at once one is applied; the row is saved once, the user hears of it once."""
    user = await frontend.sign_up()
    customer = build_customer(user.id)
    await sender.send(build_event("customer.created", customer))
    subscription = build_subscription(customer["id"])
    event = build_event("customer.subscription.created", subscription)
    late = event | {"data": {"object": subscription | {"status": "past_due"}}}
    late |= {"id": f"{event['id']}_late", "created": event["created"] + 1}

    async with frontend.subscribe("subscriptions/*", token=user.token) as feed:
        answers = await asyncio.gather(*(sender.send(event) for _ in range(20)))
        await sender.send(late)
        await feed.next(lambda change: change.record["status"] == "past_due")

    assert [answer.status_code for answer in answers] == [200] * 20
    outcomes = sorted(answer.json()["outcome"] for answer in answers)
    assert outcomes == ["applied"] + ["duplicate"] * 19
    assert [change.action for change in feed.seen] == ["create", "update"]
    kept = await dashboard.find("stripe_events", event["id"])
    assert kept
    assert kept["attempts"] == 1


_THING = {"id": "thing_1", "object": "thing.of_the_future"}


@pytest.mark.parametrize(
    ("event", "outcome"),
    [
        (build_event("thing.of_the_future.made", _THING), "applied"),
        (build_event("balance.available", {"object": "balance"}), "ignored"),
        (build_event("invoice.upcoming", {"object": "invoice", "customer": "cus_1"}), "ignored"),
        (build_event("empty", {}), "ignored"),
        (build_event("object.is.a.list", {"object": ["product"], "id": 1}), "ignored"),
        (build_event("product.of_the_future", {"id": "prod_f", "object": "product"}), "applied"),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else value,
)
async def test_what_is_unknown_is_stored(
    event: Json, outcome: str, sender: Sender, dashboard: Dashboard
) -> None:
    """An unknown type or object is answered 2xx and stored."""
    answer = await sender.send(event)
    assert (answer.status_code, answer.json()["outcome"]) == (200, outcome)
    kept = await dashboard.find("stripe_events", event["id"])
    assert kept
    assert (kept["payload"], kept["outcome"]) == (event, outcome)


async def test_unknown_values_and_members_do_not_break_a_row(
    sender: Sender, dashboard: Dashboard
) -> None:
    """A status that Stripe has yet to invent is stored as it is; what else is new does no harm."""
    odd = {
        "status": "frozen_by_committee",
        "new_member": {"deep": [1, {"er": None}]},
        "items": {"data": [{"id": "si_1", "price": "price_not_here", "quantity": "3"}, 7, None]},
        "current_period_end": "soon",
        "cancel_at": [],
        "metadata": None,
        "currency": "x" * 6000,
    }
    subscription = build_subscription("cus_odd", **odd)
    event = build_event("customer.subscription.updated", subscription)
    assert (await sender.send(event)).json()["outcome"] == "applied"
    row = await dashboard.find("subscriptions", subscription["id"])
    assert row
    assert row["status"] == "frozen_by_committee"
    assert row["current_period_end"] == ""


async def test_a_null_in_every_place_is_stored(sender: Sender, dashboard: Dashboard) -> None:
    """A subscription of which nothing but the id is known is a row with empty columns."""
    full = build_subscription("cus_null")
    nothing = {name: None for name in full if name not in ("id", "object")}
    event = build_event("customer.subscription.updated", full | nothing)
    assert (await sender.send(event)).json()["outcome"] == "applied"
    row = await dashboard.find("subscriptions", full["id"])
    assert row
    assert (row["customer"], row["status"], row["items"]) == ("", "", [])


@pytest.mark.parametrize("text", ["a\x00b", "😀", "\u202e", "'; DROP TABLE x; --", "{{=1}}"])
async def test_any_text_is_kept_as_it_is(text: str, sender: Sender, dashboard: Dashboard) -> None:
    """Texts arrive in the row as they were signed, escaped or not."""
    product = {"id": f"prod_{abs(hash(text))}", "object": "product", "name": text}
    assert (await sender.send(build_event("product.created", product))).is_success
    row = await dashboard.find("products", product["id"])
    assert row
    assert row["name"] == text


async def test_a_connected_accounts_event_mirrors_nothing(
    sender: Sender, dashboard: Dashboard
) -> None:
    """An event of a connected account is stored; its objects are not the platform's."""
    subscription = build_subscription("cus_connected")
    event = build_event("customer.subscription.created", subscription, account="acct_other")
    answer = await sender.send(event)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "connect")
    kept = await dashboard.find("stripe_events", event["id"])
    assert kept
    assert kept["account"] == "acct_other"
    assert await dashboard.find("subscriptions", subscription["id"]) is None


@pytest.mark.parametrize("related", [None, {"type": "product", "id": "prod_gone"}, {"type": "x"}])
async def test_a_thin_event_of_a_missing_object_is_stored(
    related: Json | None, sender: Sender, dashboard: Dashboard
) -> None:
    """A notification that names nothing that Stripe still has is kept, and answered 2xx."""
    event = {
        "id": f"evt_thin_{related and related.get('id')}_{related and related['type']}",
        "object": "v2.core.event",
        "type": "v1.product.updated",
        "created": "2026-11-23T12:00:00.000Z",
        "livemode": False,
        "related_object": related,
    }
    first = await sender.send(event)
    assert first.status_code == 200, first.text
    assert await wait_resolved(dashboard, event["id"]) in ("ignored", "superseded")
    assert (await sender.send(event)).json()["outcome"] == "duplicate"
    kept = await dashboard.find("stripe_events", event["id"])
    assert kept
    assert kept["payload"] == event


async def test_during_a_rotation_each_secret_is_good(
    sender: Sender, start_gateway: Callable[..., GatewayProcess]
) -> None:
    """With several secrets set, a delivery signed by any of them is taken, by another is not."""
    gateway = start_gateway(STRIPE_WEBHOOK_SECRETS="whsec_old, whsec_new")
    for secret, status in (("whsec_old", 200), ("whsec_new", 200), (sender.secret, 400)):
        event = build_event("rotated", {"id": secret, "object": "x"})
        answer = await Sender(sender.http, gateway.url, secret).send(event)
        assert answer.status_code == status
    read_problem(answer, 400, "invalid-signature")
