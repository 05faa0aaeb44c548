"""Events show ten entries of a nested list: the rest is read from Stripe, and guarded."""

import asyncio
import json
from typing import Any

import pytest

from tests.convergence.bench import Bench
from tests.convergence.scene import Scene
from tests.delivery import build_event

Json = dict[str, Any]


@pytest.fixture
def scene(bench: Bench) -> Scene:
    """A fresh Stripe account."""
    return Scene(bench)


def _subscribe(scene: Scene, customer: str, number: int) -> str:
    """A subscription of so many items."""
    recurring = {"interval": "month"}
    items = [
        {
            "price": scene.call(
                "POST",
                "/v1/prices",
                product=scene.product,
                currency="usd",
                unit_amount=100 + place,
                recurring=recurring,
            )["id"]
        }
        for place in range(number)
    ]
    return str(scene.call("POST", "/v1/subscriptions", customer=customer, items=items)["id"])


def _read_items(scene: Scene, subscription: str) -> list[Json]:
    row = scene.row("subscriptions", subscription)
    assert not row["has_more"]
    items: list[Json] = json.loads(row["items"])
    return items


def test_an_event_shows_ten_items(scene: Scene) -> None:
    """The row has all twenty items, and the invoice's row all of its lines."""
    customer = scene.add_customer()
    subscription = _subscribe(scene, customer, 20)
    [created] = scene.events("customer.subscription.created")
    assert len(created["data"]["object"]["items"]["data"]) == 10

    scene.deliver(scene.events())

    assert len({item["id"] for item in _read_items(scene, subscription)}) == 20
    [invoice] = scene.rows("invoices", customer)
    assert len(json.loads(invoice["lines"])) == 20
    assert (invoice["status"], invoice["has_more"]) == ("paid", 0)


def test_more_lines_than_a_page(scene: Scene) -> None:
    """Every page of a long invoice is read."""
    customer = scene.add_customer()
    for amount in range(1, 131):
        params = {"customer": customer, "amount": amount, "currency": "usd"}
        scene.call("POST", "/v1/invoiceitems", **params)
    include = "include"
    invoice = scene.call(
        "POST", "/v1/invoices", customer=customer, pending_invoice_items_behavior=include
    )["id"]

    scene.deliver(scene.events("customer.c", "invoice."))

    amounts = [line["amount"] for line in json.loads(scene.row("invoices", invoice)["lines"])]
    assert sorted(amounts) == [*range(1, 131)]


def test_an_older_read_of_a_long_list_gives_way(scene: Scene) -> None:
    """A write by another replica between the pages of a read stays."""
    bench, customer = scene.bench, scene.add_customer()
    subscription = _subscribe(scene, customer, 12)
    [created] = scene.events("customer.subscription.created")
    one, other = bench.deliverers

    async def race() -> None:
        hold = bench.account.hold_next()
        slow = asyncio.create_task(one.deliver([created]))
        await asyncio.wait_for(hold.is_ready.wait(), 10)
        last = scene.world.get("subscription", subscription)["items"]["data"][-1]["id"]
        scene.call("POST", f"/v1/subscription_items/{last}", quantity=7)
        await other.deliver([scene.events("customer.subscription.updated")[-1]])
        hold.may_go.set()
        await slow

    bench.loop.run(race())

    quantities = [item["quantity"] for item in _read_items(scene, subscription)]
    assert quantities == [1] * 11 + [7]


def test_an_outdated_event_of_a_long_list_is_not_read(scene: Scene) -> None:
    """An event that comes again, or later than a newer one, costs no read."""
    customer = scene.add_customer()
    subscription = _subscribe(scene, customer, 12)
    scene.world.clock.advance(10)
    scene.call("POST", f"/v1/subscriptions/{subscription}", metadata={"a": "1"})
    scene.world.clock.advance(10)
    created, *_, updated = scene.events("customer.subscription.")
    scene.deliver([updated])
    before = len(scene.bench.account.reads)

    scene.deliver([created, updated])

    assert len(scene.bench.account.reads) == before


def test_a_list_that_shrinks_and_grows(scene: Scene) -> None:
    """In any order, the row has the items of the last state, above ten and below."""
    customer = scene.add_customer()
    subscription = _subscribe(scene, customer, 12)
    items = [each["id"] for each in scene.world.get("subscription", subscription)["items"]["data"]]
    for item in items[9:]:
        scene.call("DELETE", f"/v1/subscription_items/{item}")
    events = scene.events("customer.subscription.")

    scene.deliver([*events[::-1], *events])

    assert [item["id"] for item in _read_items(scene, subscription)] == items[:9]


def test_an_object_that_is_gone(scene: Scene) -> None:
    """The row shows what the event shows, and that there is more."""
    invoice = f"in_gone{scene.product[-8:]}"
    lines = [{"id": f"il_{place}", "amount": 100} for place in range(10)]
    item = {
        "id": invoice,
        "object": "invoice",
        "status": "draft",
        "lines": {"object": "list", "data": lines, "has_more": True, "total_count": 25},
    }
    now = scene.world.now
    draft = build_event("invoice.created", item, created=now)
    paid = build_event("invoice.paid", item | {"status": "paid"}, created=now + 1)
    deleted = build_event("invoice.deleted", item, created=now + 2)

    scene.deliver([draft])
    row = scene.row("invoices", invoice)
    assert (len(json.loads(row["lines"])), row["has_more"], row["status"]) == (10, 1, "draft")
    scene.deliver([paid, draft])
    assert scene.row("invoices", invoice)["status"] == "paid"
    scene.deliver([deleted])
    assert scene.row("invoices", invoice)["deleted"] == 1
