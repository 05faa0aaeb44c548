"""Objects without a collection of their own, in any order of delivery."""

import json
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stripe_simulator.resources import payouts
from stripe_simulator.resources.events import thin
from tests.convergence.bench import Bench
from tests.convergence.scene import Scene
from tests.delivery import build_event

Json = dict[str, Any]
_SETTINGS = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
#: Steps of a payout: its metadata changes, time passes, the bank answers.
_STEPS = st.lists(st.sampled_from(["one", "two", "wait"]), max_size=6)


@pytest.fixture
def scene(bench: Bench) -> Scene:
    """A fresh Stripe account."""
    return Scene(bench)


def _play(scene: Scene, steps: list[str], outcome: str) -> tuple[str, list[Json]]:
    """Let a payout live through some steps; return its id and events."""
    payout = str(scene.call("POST", "/v1/payouts", amount=500, currency="usd")["id"])
    for step in steps:
        if step == "wait":
            scene.world.clock.advance(1)
        else:
            scene.call("POST", f"/v1/payouts/{payout}", metadata={"step": step})
    if outcome:
        payouts.finish(scene.world, payout, outcome)
    return payout, scene.events("payout.")


def _stored(scene: Scene, stripe_id: str) -> Json:
    row = scene.row("stripe_objects", stripe_id)
    return {**row, "stripe_object": json.loads(row["stripe_object"])}


@given(steps=_STEPS, outcome=st.sampled_from(["", "paid", "failed"]), seed=st.integers(0, 999))
@_SETTINGS
def test_any_order_ends_in_the_newest_state(
    bench: Bench, steps: list[str], outcome: str, seed: int
) -> None:
    """Shuffled, repeated and within one second, the row shows the object as Stripe has it."""
    scene, random = Scene(bench), Random(seed)
    payout, events = _play(scene, steps, outcome)
    batch = events + random.choices(events, k=2)
    random.shuffle(batch)

    scene.bench.loop.run(scene.bench.deliverer.deliver(batch))

    row = _stored(scene, payout)
    assert row["stripe_object"] == scene.world.get("payout", payout)
    assert (row["object"], row["deleted"]) == ("payout", 0)
    assert bench.mirror.read("stripe_events", [e["id"] for e in events]).keys() == {
        event["id"] for event in events
    }


@pytest.mark.parametrize("seed", range(3))
def test_a_deleted_object_does_not_come_back(scene: Scene, seed: int) -> None:
    """A deletion is final in any order, also within the second of an update."""
    plan = {"id": f"plan_{scene.product}{seed}", "object": "plan", "created": 1, "nickname": "a"}
    events = [
        build_event("plan.created", plan, created=1_700_000_000),
        build_event(
            "plan.updated", plan | {"nickname": "b"}, {"nickname": "a"}, created=1_700_000_001
        ),
        build_event("plan.deleted", plan | {"nickname": "b"}, created=1_700_000_001),
    ]
    Random(seed).shuffle(events)
    scene.deliver([*events, events[0]])

    row = _stored(scene, plan["id"])
    assert row["deleted"] == 1
    assert row["stripe_object"]["nickname"] == "b"


@pytest.mark.parametrize("seed", range(3))
def test_states_that_nothing_can_order(scene: Scene, seed: int) -> None:
    """Stripe serves no cards: of two states of one second, the same holds in every order."""
    card = {"id": f"card_{scene.product}{seed}", "object": "card"}
    states = [
        build_event("customer.source.updated", card | {"name": name}, created=1_700_000_000)
        | {"id": f"evt_{name}{card['id']}"}
        for name in ("a", "b", "c")
    ]
    Random(seed).shuffle(states)

    scene.deliver(states)

    assert _stored(scene, card["id"])["stripe_object"]["name"] == "c"
    assert scene.bench.account.reads == [] or not any(
        card["id"] in path for path, _ in scene.bench.account.reads
    )


def test_conflicts_are_read_from_stripe(scene: Scene) -> None:
    """A second that goes round in a circle is decided by what Stripe has now."""
    payout, events = _play(scene, ["one", "two", "one", "two", "one"], "")
    scene.deliver([*events[3:], *events[:3]])
    assert _stored(scene, payout)["stripe_object"]["metadata"] == {"step": "one"}
    assert any(path == f"/v1/payouts/{payout}" for path, _ in scene.bench.account.reads)


def test_thin_notifications_are_read(scene: Scene) -> None:
    """The object itself where Stripe serves it, else the event that shows it."""
    payout, _ = _play(scene, ["one"], "paid")
    customer = scene.add_customer()
    session = scene.call(
        "POST", "/v1/billing_portal/sessions", customer=customer, return_url="https://shop.test"
    )
    scene.deliver(thin(event) for event in scene.events("payout.", "billing_portal.session"))

    assert _stored(scene, payout)["stripe_object"]["status"] == "paid"
    row = _stored(scene, session["id"])
    assert row["stripe_object"]["customer"] == customer
    assert row["stripe_object"]["url"] is None
