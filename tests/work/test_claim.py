"""Claims: each item to one process, in the order of its key, under a lease that can be lost."""

import asyncio
import sqlite3
from contextlib import closing
from secrets import token_hex
from typing import Any

import pytest

from gateway.dev.pocketbase import PocketBaseProcess
from gateway.pocketbase.contracts.work import HandlerLimit, NewItem, Renewal
from tests.work.office import Office


async def test_an_item_is_claimed_with_what_was_added(office: Office) -> None:
    """Payload, source, key and tries arrive; the attempt counts at the claim."""
    payload = {"text": "ü\x00\u2028", "list": [1, None, True]}
    [id] = await office.add(payload=payload, source="evt_1", key="a", tries=3, user="u1")
    [item] = await office.claim()
    found = (item.id, item.payload, item.source, item.key, item.tries, item.user, item.attempts)
    assert found == (id, payload, "evt_1", "a", 3, "u1", 1)
    assert (await office.read(id))["status"] == "running"
    assert await office.claim() == ()


async def test_an_item_that_the_queue_has_is_not_added_again(office: Office) -> None:
    """The id is the idempotency key, also within one call and after the item is done."""
    item = NewItem(id="0123456789abcde", kind="task", handler=office.handler)
    assert await office.queue.enqueue([item, item]) == 1
    [claimed] = await office.claim()
    await office.settle(claimed, "done")
    assert await office.queue.enqueue([item]) == 0
    assert await office.claim() == ()


@pytest.mark.parametrize(
    ("collection", "columns"),
    [("customers", {"preferred_locales": {}}), ("payments", {"presentment_details": [1]})],
)
async def test_an_item_that_can_not_be_read_holds_up_no_other(
    office: Office, collection: str, columns: dict[str, Any]
) -> None:
    """Columns edited by hand: it waits with the reason, is parked at last, and can run again."""
    path = f"/api/collections/{collection}/records"
    edited = await office.dashboard.call("POST", path, {"stripe_id": token_hex(8)} | columns)
    session = {"stripe_id": token_hex(8)}
    session |= {"payment": edited["id"]} if collection == "payments" else {}
    row = await office.dashboard.call("POST", "/api/collections/checkout_sessions/records", session)
    payload = {"collection": "checkout_sessions", "record": row["id"], "kind": "receipt"}
    payload |= {"customer": edited["id"]} if collection == "customers" else {}
    [broken] = await office.add(kind="event", source=token_hex(8), payload=payload, tries=2)
    [sound] = await office.add()
    assert [item.id for item in await office.claim()] == [sound]
    item = await office.read(broken)
    assert (item["status"], item["attempts"], item["claim"]) == ("waiting", 1, "")
    assert "event" in item["error"]
    await office.make_due(broken)
    assert await office.claim() == ()
    assert (await office.read(broken))["status"] == "parked"
    await office.dashboard.call("PATCH", f"{path}/{edited['id']}", dict.fromkeys(columns))
    await office.queue.retry([broken])
    assert [item.id for item in await office.claim()] == [broken]


async def test_concurrent_processes_share_the_items(office: Office) -> None:
    """Eight claims at once get every item exactly once."""
    ids = await office.add(100)
    claims = await asyncio.gather(*(office.claim(20) for _ in range(8)))
    found = [item.id for claim in claims for item in claim]
    assert sorted(found) == sorted(ids)


async def test_items_of_a_key_run_one_after_the_other(office: Office) -> None:
    """In the order in which they were added; a settle lets the next one go in the same call."""
    first, second, third = await office.add(3, key="order-1")
    other = await office.add(1, key="order-2")
    item, free = await office.claim()
    assert (item.id, free.id) == (first, other[0])
    assert await office.claim() == ()
    settle = [{"id": item.id, "claim": item.claim, "status": "done"}]
    [item] = await office.claim(settle=settle)
    assert item.id == second
    await office.settle(item, "parked", error="broken")
    assert [each.id for each in await office.claim()] == [third]


async def test_an_item_that_backs_off_holds_its_key(office: Office) -> None:
    """A later item of the key waits until the earlier one is done; other keys go on."""
    first, second = await office.add(2, key="order-1")
    [item] = await office.claim()
    await office.settle(item, "waiting", delay=3600, error="503")
    assert await office.claim() == ()
    row = await office.read(first)
    assert (row["status"], row["attempts"], row["error"]) == ("waiting", 1, "503")
    await office.make_due(first)
    [item] = await office.claim()
    assert (item.id, item.attempts) == (first, 2)
    await office.settle(item, "done")
    assert [each.id for each in await office.claim()] == [second]


async def test_a_handler_gets_no_more_than_its_limit(office: Office) -> None:
    """Of a handler that takes two, two are claimed, and the others of the batch are not held up."""
    await office.add(5)
    other = f"{office.handler}_2"
    await office.add(5, handler=other)
    names = [office.handler, other]
    limits = [
        HandlerLimit(name=name, limit=most) for name, most in zip(names, (2, 10), strict=True)
    ]
    items = await office.claim(limit=6, handlers=limits)
    assert sorted(item.handler for item in items) == [office.handler] * 2 + [other] * 4


async def test_a_process_gets_only_what_it_has_handlers_for(office: Office) -> None:
    """Old and new code run side by side: items of unknown handlers wait for the other process."""
    [id] = await office.add(handler=f"{office.handler}_new")
    assert await office.claim() == ()
    assert (await office.read(id))["status"] == "waiting"


@pytest.mark.parametrize(
    ("members", "status", "attempts"),
    [
        ({"tries": 2}, "running", 2),
        ({"tries": 1}, "parked", 1),
        ({"tries": 0}, "running", 2),
        ({"tries": 9, "at_most_once": True}, "parked", 1),
    ],
)
async def test_a_lost_lease(
    members: dict[str, object], status: str, attempts: int, office: Office
) -> None:
    """It is claimed again, or parked after the last try, or at once if it may run once only."""
    [id] = await office.add(**members)
    [lost] = await office.claim()
    await office.expire_lease(id)
    again = await office.claim()
    row = await office.read(id)
    assert (row["status"], row["attempts"], len(again)) == (status, attempts, status == "running")
    assert row["error"].startswith("Its process ended")
    # The process that lost it comes back too late.
    assert (await office.settle(lost, "done")).settled == ()
    assert (await office.read(id))["status"] == status


async def test_a_renewed_lease_is_kept(office: Office) -> None:
    """A renewal extends the lease and returns whether the item was cancelled."""
    [id] = await office.add()
    [item] = await office.claim()
    await office.expire_lease(id)
    renewal = Renewal(id=item.id, claim=item.claim, progress={"done": 3}, state={"cursor": 7})
    answer = await office.exchange(renew=[renewal])
    assert (answer.items, [each.cancel for each in answer.renewed]) == ((), [False])
    assert (await office.read(id))["progress"] == {"done": 3}
    assert await office.queue.cancel([id]) == 1
    answer = await office.exchange(renew=[renewal])
    assert [each.cancel for each in answer.renewed] == [True]
    stale = renewal.model_copy(update={"claim": "0" * 16})
    assert (await office.exchange(renew=[stale])).renewed == ()


async def test_what_is_too_old_is_cancelled(office: Office) -> None:
    """An item that is claimed after its latest start does not run."""
    [id] = await office.add(expires="2020-01-01 00:00:00.000Z")
    [later] = await office.add()
    assert [item.id for item in await office.claim()] == [later]
    row = await office.read(id)
    assert (row["status"], row["error"]) == ("cancelled", "too old")


async def test_a_lost_answer_is_asked_for_again(office: Office) -> None:
    """The same token gets the same items, and their attempts count once."""
    ids = await office.add(3)
    token = "c0ffee00c0ffee00"
    await office.claim(token=token)
    repeated = await office.claim(token=token, again=True)
    assert [(item.id, item.attempts) for item in repeated] == [(id, 1) for id in ids]


async def test_an_idle_process_takes_no_lock(office: Office, server: PocketBaseProcess) -> None:
    """While another program holds the database's write lock, a call without work is answered."""
    await office.claim()
    with closing(sqlite3.connect(server.data_dir / "data.db", isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        async with asyncio.timeout(1):
            assert await office.claim() == ()


async def test_a_coalescing_item_runs_with_the_newest_payload(office: Office) -> None:
    """Added again it is one item: while it waits, while it runs (then once more), and when done."""
    values = {"id": "00000000000coal", "coalesce": True}
    await office.add(payload=1, **values)
    await office.add(payload=2, **values)
    [item] = await office.claim()
    assert item.payload == 2
    await office.add(payload=3, **values)
    assert await office.claim() == ()
    await office.settle(item, "done")
    [item] = await office.claim()
    assert (item.payload, item.attempts) == (3, 1)
    await office.settle(item, "done")
    assert (await office.read(item.id))["status"] == "done"
    await office.add(payload=4, **values)
    [item] = await office.claim()
    assert item.payload == 4


async def test_a_paused_handler_waits(office: Office) -> None:
    """Its items stay until it is resumed; pausing twice changes nothing."""
    [id] = await office.add()
    assert await office.queue.pause(office.handler)
    assert not await office.queue.pause(office.handler)
    assert office.handler in (await office.queue.status()).paused
    assert await office.claim() == ()
    assert await office.queue.pause(office.handler, paused=False)
    assert [item.id for item in await office.claim()] == [id]
