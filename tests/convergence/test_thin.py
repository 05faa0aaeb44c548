"""Thin notifications: what they name is read, and takes the same path."""

from random import Random
from typing import Any

import pytest

from stripe_simulator.histories import step
from stripe_simulator.resources.events import thin
from tests.convergence.bench import Bench
from tests.convergence.history import History
from tests.convergence.scene import Scene

Json = dict[str, Any]


@pytest.fixture
def scene(bench: Bench) -> Scene:
    """A fresh Stripe account."""
    return Scene(bench)


def test_a_thin_notification_is_read(scene: Scene) -> None:
    """A notification of a subscription ends in the row that its snapshot would give."""
    user, _ = scene.add_user()
    customer = scene.add_customer(metadata={"pocketbase_user": user})
    subscription = scene.subscribe(customer)

    scene.deliver(thin(event) for event in scene.events("customer.subscription", "customer.c"))

    row = scene.row("subscriptions", subscription)
    assert (row["status"], row["user"]) == ("active", user)
    assert row["current_period_end"] != ""


def test_a_repeated_or_outdated_notification_costs_no_read(scene: Scene) -> None:
    """One read answers for every notification that was sent before it."""
    events = [thin(event) for event in scene.events("product.")]
    for name in ("a", "b"):
        scene.world.clock.advance(10)
        scene.call("POST", f"/v1/products/{scene.product}", name=name)
        events.append(thin(scene.world.events[-1]))
    scene.world.clock.advance(10)
    before = len(scene.bench.account.reads)

    scene.deliver([*reversed(events), *events])

    assert scene.row("products", scene.product)["name"] == "b"
    assert len(scene.bench.account.reads) - before == 1


def test_a_deletion_is_told_by_its_snapshot(scene: Scene) -> None:
    """A deleted object can't be read: the row is the object of the deletion's event."""
    coupon = scene.call("POST", "/v1/coupons", percent_off=10, duration="once", name="Gone")["id"]
    scene.world.clock.advance(5)
    scene.call("DELETE", f"/v1/coupons/{coupon}")
    created, deleted = (thin(event) for event in scene.events("coupon."))

    scene.deliver([deleted, created])

    row = scene.row("coupons", coupon)
    assert (row["name"], row["deleted"], row["valid"]) == ("Gone", 1, 0)


@pytest.mark.parametrize("snapshot", ["", "evt_pruned"])
def test_a_deletion_without_a_snapshot(scene: Scene, snapshot: str) -> None:
    """Without an event that shows the deleted object, the row keeps its values and is deleted."""
    user, _ = scene.add_user()
    customer = scene.add_customer(metadata={"pocketbase_user": user})
    path = f"/v1/customers/{customer}/tax_ids"
    tax_id = str(scene.call("POST", path, type="eu_vat", value="DE123456789")["id"])
    scene.deliver(scene.events())
    scene.call("DELETE", f"{path}/{tax_id}")
    deleted = thin(scene.world.events[-1]) | {"snapshot_event": snapshot}

    scene.deliver([deleted])

    row = scene.row("tax_ids", tax_id)
    assert (row["deleted"], row["value"], row["user"]) == (1, "DE123456789", user)
    assert scene.row("stripe_events", deleted["id"])["outcome"] == "applied"


def test_a_connected_accounts_notification_reads_nothing(scene: Scene) -> None:
    """A notification from a connected account is stored, and nothing is read."""
    before = len(scene.bench.account.reads)

    scene.deliver(thin(event) | {"context": "acct_1"} for event in scene.events())

    assert scene.bench.mirror.read("products", [scene.product]) == {}
    assert len(scene.bench.account.reads) == before


@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_notifications(bench: Bench, seed: int) -> None:
    """A history told by notifications alone, shuffled and repeated, ends in the oracle's rows."""
    history, random = History(bench), Random(seed)
    for _ in range(80):
        step(history.world, random)
        history.world.clock.advance(random.choice([0, 0, 0, 1, 60]))
    told = [event for event in history.world.events if "id" in event["data"]["object"]]
    batch = [thin(event) for event in [*told, *random.choices(told, k=30)]]
    random.shuffle(batch)

    bench.loop.run(bench.deliverer.deliver(batch))

    wrong = history.wrong_rows()
    assert {name for name in wrong if not name.startswith("entitlement_summaries")} == set()
