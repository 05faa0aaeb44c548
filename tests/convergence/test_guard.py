"""A decision is written only if what it was made on is still the whole story."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from gateway.mirror.event_change import EventChange, decide, event_row
from gateway.pocketbase import (
    CommitBatch,
    CommitResult,
    PocketBase,
    VersionConflict,
    VersionedRow,
    commit,
)
from gateway.settings import Settings
from gateway.stripe_api.event import parse
from tests.convergence.bench import Bench
from tests.convergence.scene import Scene
from tests.delivery import build_event

Json = dict[str, Any]


def _changes(product: str, count: int) -> list[EventChange]:
    """Updates of one product within one second, which do not say what they replaced."""
    items = [{"id": product, "object": "product", "name": str(i)} for i in range(count)]
    events = [build_event("product.updated", item, created=1793491200) for item in items]
    return [decide(parse(json.dumps(event))) for event in events]


class _Writer:
    """Writes as the gateway's `ConflictResolver` does, one step at a time."""

    def __init__(self, pocketbase: PocketBase) -> None:
        self._pocketbase = pocketbase

    async def write(
        self,
        changes: Sequence[EventChange],
        winner: EventChange,
        conflict: VersionConflict | None = None,
    ) -> CommitResult:
        """Commit the changes' events with one state, on a conflict or by its version alone."""
        assert winner.state
        place = changes.index(winner) if winner in changes else None
        row = VersionedRow(winner.state.row, winner.state.version, place, expect=conflict)
        events = [event_row(each, row=0) for each in changes]
        return await commit(self._pocketbase, CommitBatch(events, [row]))


@pytest.fixture
def settings(bench: Bench) -> Settings:
    """How to reach the bench's PocketBase."""
    part = bench.stack.pocketbase
    return Settings(
        pocketbase_url=part.url,
        pocketbase_superuser_email=part.superuser_email,
        pocketbase_superuser_password=part.superuser_password,  # type: ignore[arg-type]
        stripe_secret_key="sk_test_x",  # type: ignore[arg-type]
        stripe_webhook_secrets="whsec_x",  # type: ignore[arg-type]
        gateway_frontend_origins="http://localhost:3000",  # type: ignore[arg-type]
    )


async def test_an_event_stored_meanwhile_undoes_a_decision(
    bench: Bench, settings: Settings
) -> None:
    """A decision conflicts again when another writer stored an event of its second, row or not."""
    product = Scene(bench).product
    first, second, third = _changes(product, 3)
    async with PocketBase(settings) as pocketbase:
        writer = _Writer(pocketbase)
        assert (await writer.write([first], first)).outcomes == ("applied",)
        [mine] = (await writer.write([second], second)).conflicts
        [other] = (await writer.write([third], third)).conflicts
        assert mine
        assert other
        # The other writer finds that the row is the latest: only its event is added.
        assert (await writer.write([third], first, other)).outcomes == ("superseded",)

        late = await writer.write([second], second, mine)

    assert late.outcomes == ("conflict",)
    assert late.conflicts[0]
    assert late.conflicts[0].payloads is not None
    assert len(late.conflicts[0].payloads) == 2


async def test_a_decision_on_the_whole_story_stands(bench: Bench, settings: Settings) -> None:
    """A decision is written, with its event, if row and events are unchanged."""
    product = Scene(bench).product
    first, second = _changes(product, 2)
    async with PocketBase(settings) as pocketbase:
        writer = _Writer(pocketbase)
        await writer.write([first], first)
        [conflict] = (await writer.write([second], second)).conflicts

        done = await writer.write([second], second, conflict)

    assert (done.outcomes, done.conflicts) == (("applied",), (None,))
    assert bench.mirror.read("products", [product])[product]["name"] == "1"


async def test_rows_of_one_group_do_not_undo_each_other(bench: Bench, settings: Settings) -> None:
    """A customer becomes primary in the transaction that deletes the first and changes itself."""
    scene = Scene(bench)
    user, _ = scene.add_user()
    customers = [scene.add_customer(metadata={"pocketbase_user": user}) for _ in range(2)]
    scene.deliver(scene.events())
    customers.sort(key=lambda each: -bench.mirror.read("customers", [each])[each]["primary"])
    first, second = customers
    scene.world.clock.advance(5)
    scene.call("DELETE", f"/v1/customers/{first}")
    scene.call("POST", f"/v1/customers/{second}", name="changed")
    states = [decide(parse(json.dumps(event))).state for event in scene.world.events[-2:]]
    async with PocketBase(settings) as pocketbase:
        rows = [VersionedRow(state.row, state.version) for state in states if state]
        await commit(pocketbase, CommitBatch(rows=rows))

    found = bench.mirror.read("customers", customers)
    assert [found[each]["primary"] for each in customers] == [0, 1]
    assert (found[first]["deleted"], found[second]["name"]) == (1, "changed")


async def test_a_crowded_second_is_not_told(bench: Bench, settings: Settings) -> None:
    """Of more events than can be weighed at once, none is given out: Stripe has to be read."""
    product = Scene(bench).product
    *crowd, last = _changes(product, 102)
    async with PocketBase(settings) as pocketbase:
        writer = _Writer(pocketbase)
        await writer.write(crowd, crowd[0])

        [conflict] = (await writer.write([last], last)).conflicts

    assert conflict
    assert conflict.payloads is None
