"""Items that are gone while their rows still need them: they are added again."""

import json
from typing import Any

import httpx
import pytest

from gateway.mirror.event_change import RESOLVE, event_row, unresolved
from gateway.pocketbase import CommitBatch, PocketBase, commit
from gateway.stripe_api.event import parse
from gateway.work.parts import MOVE_ROWS, RECOMPUTE
from tests.delivery import build_customer, build_event
from tests.work.office import Office

_WORK = "/api/collections/gateway_work/records"


async def _store_unresolved(pocketbase: PocketBase) -> str:
    """Store an event that needs a read from Stripe, as a delivery does; return its id."""
    event = parse(json.dumps(build_event("customer.updated", build_customer("nobody"))))
    await commit(pocketbase, CommitBatch([event_row(unresolved(event))]))
    return event.stripe_id


async def _read_item(office: Office, event: str) -> dict[str, Any]:
    [item] = await office.dashboard.list("gateway_work", f"source = '{event}'")
    return item


async def _delete(office: Office, item: dict[str, Any]) -> None:
    await office.dashboard.call("DELETE", f"{_WORK}/{item['id']}")


async def test_the_item_of_an_unresolved_event_is_added_again(
    office: Office, pocketbase: PocketBase
) -> None:
    """After its deletion the same item waits again; the items of other events stay as they are."""
    lost, kept = [await _store_unresolved(pocketbase) for _ in range(2)]
    before, other = await _read_item(office, lost), await _read_item(office, kept)
    await _delete(office, before)
    assert (await office.queue.add_lost()).events == 1
    after = await _read_item(office, lost)
    columns = ("id", "kind", "handler", "key", "payload", "tries", "status")
    assert [after[name] for name in columns] == [before[name] for name in columns]
    assert await _read_item(office, kept) == other
    assert (await office.queue.add_lost()).events == 0


@pytest.mark.parametrize("status", ["done", "cancelled"])
async def test_an_item_that_ended_without_its_event(
    office: Office, pocketbase: PocketBase, status: str
) -> None:
    """An event that a backup brought back as unresolved is resolved once more."""
    event = await _store_unresolved(pocketbase)
    await office.change((await _read_item(office, event))["id"], status=status)
    assert (await office.queue.add_lost()).events == 1
    assert (await _read_item(office, event))["status"] == "waiting"


async def test_a_parked_item_is_left_to_the_operator(
    office: Office, pocketbase: PocketBase
) -> None:
    """It is not added again while it is parked, but it is when retention has deleted it."""
    event = await _store_unresolved(pocketbase)
    item = await _read_item(office, event)
    await office.change(item["id"], status="parked")
    assert (await office.queue.add_lost()).events == 0
    await _delete(office, item)
    assert (await office.queue.add_lost()).events == 1
    assert (await _read_item(office, event))["handler"] == RESOLVE


@pytest.mark.parametrize("handler", [MOVE_ROWS, RECOMPUTE])
async def test_work_in_parts_is_not_deleted(office: Office, handler: str) -> None:
    """PocketBase refuses to delete such an item while it is open, and names the alternative."""
    [id] = await office.add(handler=handler)
    with pytest.raises(httpx.HTTPStatusError) as refused:
        await office.dashboard.call("DELETE", f"{_WORK}/{id}")
    assert f"gateway work pause {handler}" in refused.value.response.json()["message"]
    await office.change(id, status="done")
    await office.dashboard.call("DELETE", f"{_WORK}/{id}")
