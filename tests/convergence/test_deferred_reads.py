"""A delivery never waits for Stripe: an event that needs a read is stored, and resolved later."""

import asyncio
import time
from typing import Any

import pytest

from stripe_simulator.resources.events import thin
from tests.convergence.bench import Bench
from tests.convergence.scene import Scene

Json = dict[str, Any]

#: A hanging Stripe keeps silent for longer than a delivery may take.
_HANG_MS = 3000
_DELIVERY_SECONDS = 2.0
_FAULTS = {
    "unreachable": {"reset": "before"},
    "server error": {"status": 500},
    "overloaded": {"status": 503},
    "rate limit": {"status": 429},
    "silent": {"reset": "before", "hang_ms": _HANG_MS},
}


@pytest.fixture
def scene(bench: Bench) -> Scene:
    """A fresh Stripe account."""
    return Scene(bench)


def _rename(scene: Scene, *names: str) -> list[Json]:
    """Rename the product within one second; returns the events."""
    before = len(scene.world.events)
    for name in names:
        scene.call("POST", f"/v1/products/{scene.product}", name=name)
    return scene.world.events[before:]


def _post(scene: Scene, event: Json) -> tuple[int, str]:
    """Deliver once; returns status and outcome, which must not take long."""
    started = time.monotonic()
    status, answer = scene.bench.loop.run(scene.bench.deliverer.post(event))
    assert time.monotonic() - started < _DELIVERY_SECONDS
    return status, answer["outcome"]


def _outcome(scene: Scene, event: Json) -> str:
    return str(scene.row("stripe_events", event["id"])["outcome"])


def _wait_resolved(scene: Scene) -> None:
    scene.bench.loop.run(scene.bench.deliverer.wait_resolved())


@pytest.mark.parametrize("fault", _FAULTS.values(), ids=_FAULTS)
def test_a_conflict_while_stripe_does_not_answer(scene: Scene, fault: Json) -> None:
    """Both events are stored with 2xx, and the row follows once Stripe answers."""
    there, back = _rename(scene, "there", "Pro")
    rule = scene.bench.account.faults.add({"path": "/v1/products/", "times": -1, **fault})

    assert _post(scene, there) == (200, "applied")
    assert _post(scene, back) == (200, "unresolved")
    assert _outcome(scene, back) == "unresolved"
    scene.bench.account.faults.rules.remove(rule)
    _wait_resolved(scene)

    assert scene.row("products", scene.product)["name"] == "Pro"


def test_a_thin_event_while_stripe_does_not_answer(scene: Scene) -> None:
    """A thin event is stored with 2xx, and its row follows."""
    [renamed] = _rename(scene, "thin")
    rule = scene.bench.account.faults.add({"times": -1, "status": 500})

    assert _post(scene, thin(renamed)) == (200, "unresolved")
    assert scene.bench.mirror.read("products", [scene.product]) == {}
    scene.bench.account.faults.rules.remove(rule)
    _wait_resolved(scene)

    assert scene.row("products", scene.product)["name"] == "thin"


def test_a_delivery_during_a_read_does_not_wait_for_it(scene: Scene) -> None:
    """Further events of an object are stored while Stripe takes its time with the object."""
    there, back, third = _rename(scene, "there", "Pro", "third")
    bench = scene.bench

    async def race() -> None:
        hold = bench.account.hold_next()
        await bench.deliverer.post(there)
        await bench.deliverer.post(back)
        await asyncio.wait_for(hold.is_ready.wait(), 10)
        status, _ = await asyncio.wait_for(bench.deliverer.post(third), _DELIVERY_SECONDS)
        assert status == 200
        hold.may_go.set()
        await bench.deliverer.wait_resolved()

    bench.loop.run(race())

    assert scene.row("products", scene.product)["name"] == "third"


def test_a_newer_event_overtakes_an_unresolved_one(scene: Scene) -> None:
    """A newer state is written at once; the older event is then superseded without a read."""
    there, back = _rename(scene, "there", "Pro")
    rule = scene.bench.account.faults.add({"times": -1, "status": 500})
    _post(scene, there)
    assert _post(scene, back) == (200, "unresolved")
    scene.world.clock.advance(10)
    [newer] = _rename(scene, "newer")

    assert _post(scene, newer) == (200, "applied")
    assert scene.row("products", scene.product)["name"] == "newer"
    _wait_resolved(scene)

    assert _outcome(scene, back) == "superseded"
    assert scene.row("products", scene.product)["name"] == "newer"
    scene.bench.account.faults.rules.remove(rule)


def test_an_unresolved_event_is_delivered_again(scene: Scene) -> None:
    """A repeated delivery gets 2xx and adds nothing."""
    there, back = _rename(scene, "there", "Pro")
    rule = scene.bench.account.faults.add({"times": -1, "status": 500})
    _post(scene, there)

    assert [_post(scene, back) for _ in range(3)] == [(200, "unresolved")] * 3
    scene.bench.account.faults.rules.remove(rule)
    _wait_resolved(scene)

    assert _post(scene, back) == (200, "duplicate")
    assert scene.row("products", scene.product)["name"] == "Pro"


def test_other_objects_do_not_wait(scene: Scene) -> None:
    """While one object is unresolved, deliveries of others are applied as usual."""
    there, back = _rename(scene, "there", "Pro")
    rule = scene.bench.account.faults.add({"path": "/v1/products/", "times": -1, "status": 500})
    _post(scene, there)
    assert _post(scene, back) == (200, "unresolved")

    scene.add_customer(name="Ada")
    outcomes = [_post(scene, event) for event in scene.events("customer.created")]
    assert outcomes == [(200, "applied")]
    scene.bench.account.faults.rules.remove(rule)
    _wait_resolved(scene)
