"""When Stripe is read, and what a read may overwrite."""

import asyncio
from typing import Any

import pytest

from tests.convergence.bench import Bench
from tests.convergence.scene import Scene

Json = dict[str, Any]


@pytest.fixture
def scene(bench: Bench) -> Scene:
    """A fresh Stripe account."""
    return Scene(bench)


def _rename(scene: Scene, product: str, *names: str) -> list[Json]:
    """Rename a product within one second; returns the events."""
    before = len(scene.world.events)
    for name in names:
        scene.call("POST", f"/v1/products/{product}", name=name)
    return scene.world.events[before:]


def _reads_of(scene: Scene, product: str) -> list[tuple[str, str]]:
    return [read for read in scene.bench.account.reads if read[0].endswith(product)]


def test_an_older_read_never_overwrites_a_newer_state(scene: Scene) -> None:
    """A read that one replica got first and wrote last gives way to what another wrote between."""
    bench, product = scene.bench, scene.product
    there, back = _rename(scene, product, "there", "Pro")
    one, other = bench.deliverers

    async def race() -> None:
        hold = bench.account.hold_next()
        slow = asyncio.create_task(one.deliver([there, back]))
        await asyncio.wait_for(hold.is_ready.wait(), 10)
        [newer] = _rename(scene, product, "newer")
        await other.deliver([newer])
        assert scene.row("products", product)["name"] == "newer"
        hold.may_go.set()
        await slow

    bench.loop.run(race())

    assert scene.row("products", product)["name"] == "newer"
    assert len(bench.mirror.read("stripe_events", [e["id"] for e in (there, back)])) == 2


def test_two_reads_cross(scene: Scene) -> None:
    """Of two reads by two gateways the older one is never the final row."""
    bench, product = scene.bench, scene.product
    there, back = _rename(scene, product, "there", "Pro")
    one, other = bench.deliverers

    async def race() -> None:
        old = bench.account.hold_next()
        slow = asyncio.create_task(one.deliver([there, back]))
        await asyncio.wait_for(old.is_ready.wait(), 10)
        more = _rename(scene, product, "again", "Pro", "last", "again", "last")
        new = bench.account.hold_next()
        fast = asyncio.create_task(other.deliver([more[-1], more[-2]]))
        fast_reads = asyncio.create_task(new.is_ready.wait())
        await asyncio.wait({fast, fast_reads}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        new.may_go.set()
        await fast
        fast_reads.cancel()
        old.may_go.set()
        await slow
        await one.deliver(more)

    bench.loop.run(race())

    assert scene.row("products", product)["name"] == "last"


def test_an_event_that_tells_is_not_read(scene: Scene) -> None:
    """Events of different seconds, a trail within one second, and repetitions cost no read."""
    product = scene.product
    for name in ("a", "b", "c"):
        _rename(scene, product, name, f"{name}2", f"{name}3")
        scene.world.clock.advance(1)
    events = scene.events("product.")

    scene.deliver(reversed(events))
    scene.deliver(events)

    assert scene.row("products", product)["name"] == "c3"
    assert _reads_of(scene, product) == []


def test_what_was_read_is_not_read_again(scene: Scene) -> None:
    """A second that goes round in a circle is read once; its events' repetitions cost no more."""
    product = scene.product
    there, back = _rename(scene, product, "there", "Pro")

    scene.deliver([there, back])
    reads = len(_reads_of(scene, product))
    scene.deliver([back, there, back])

    assert scene.row("products", product)["name"] == "Pro"
    assert reads == len(_reads_of(scene, product)) == 1


def test_an_outdated_circle_is_not_read(scene: Scene) -> None:
    """Events that nothing but a read could order are not read when a newer state is stored."""
    product = scene.product
    circle = _rename(scene, product, "there", "Pro")
    scene.world.clock.advance(10)
    [newer] = _rename(scene, product, "newer")

    scene.deliver([newer])
    scene.bench.loop.run(scene.bench.deliverers[0].deliver(circle))

    assert scene.row("products", product)["name"] == "newer"
    assert _reads_of(scene, product) == []


def test_a_read_has_the_shape_of_its_event(scene: Scene) -> None:
    """The object is read in the API version of the event, because columns depend on it."""
    product = scene.product
    events = [e | {"api_version": "2022-11-15"} for e in _rename(scene, product, "there", "Pro")]

    scene.deliver(events)

    assert _reads_of(scene, product) == [(f"/v1/products/{product}", "2022-11-15")]


def test_a_read_that_stripe_refuses(scene: Scene) -> None:
    """An event that needs a read which the key may not make is stored as failed, and retried."""
    product, deliverer = scene.product, scene.bench.deliverer
    there, back = _rename(scene, product, "there", "Pro")
    scene.deliver([there])
    scene.bench.account.faults.add({"path": "/v1/products/", "status": 403})

    status, answer = scene.bench.loop.run(deliverer.post(back))
    assert (status, answer["outcome"]) == (200, "unresolved")
    scene.bench.loop.run(deliverer.wait_resolved())
    stored = scene.row("stripe_events", back["id"])
    assert stored["outcome"] == "failed"
    assert stored["error"] != ""
    scene.deliver([back])

    stored = scene.row("stripe_events", back["id"])
    assert (stored["outcome"], stored["error"]) == ("applied", "")
    assert scene.row("products", product)["name"] == "Pro"


def test_a_deleted_object_is_read_in_vain(scene: Scene) -> None:
    """Events that only a read could order wait for the deletion's event when the object is gone."""
    product = str(scene.call("POST", "/v1/products", name="Gone")["id"])
    circle = _rename(scene, product, "there", "Gone")
    scene.call("DELETE", f"/v1/products/{product}")
    deletion = scene.world.events[-1]

    scene.deliver(circle)
    assert scene.row("products", product)["deleted"] == 0
    scene.deliver([deletion, *circle])

    row = scene.row("products", product)
    assert (row["deleted"], row["active"]) == (1, 0)


def test_made_again_under_the_same_id(scene: Scene) -> None:
    """A coupon that was deleted and made again is there, in whichever order that arrives."""
    coupon = f"SUMMER{scene.product[-6:]}"
    for percent in (10, 20):
        scene.call("POST", "/v1/coupons", id=coupon, percent_off=percent, duration="once")
        scene.world.clock.advance(5)
        scene.call("DELETE", f"/v1/coupons/{coupon}")
        scene.world.clock.advance(5)
    first, gone, second, _ = scene.events("coupon.")

    for order in ([first, gone, second], [second, gone, first], [gone, second, first]):
        renamed = [_with_id(event, f"{coupon}{len(order[0]['id'])}{id(order)}") for event in order]
        scene.deliver(renamed)
        row = scene.row("coupons", renamed[0]["data"]["object"]["id"])
        assert (row["percent_off"], row["deleted"], row["valid"]) == (20, 0, 1)


def _with_id(event: Json, coupon: str) -> Json:
    item = event["data"]["object"] | {"id": coupon}
    return event | {"id": f"{event['id']}{coupon}", "data": event["data"] | {"object": item}}
