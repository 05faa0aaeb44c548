"""Settles: fenced by the claim, together with records that commit with them."""

from secrets import token_hex
from typing import Any

import pytest

from gateway.pocketbase.contracts.work import WriteRequest
from tests.frontend import Frontend
from tests.work.office import Office


async def _collect(office: Office, name: str) -> list[Any]:
    return [row["title"] for row in await office.dashboard.list(name, sort="title")]


@pytest.fixture
async def notes(office: Office) -> str:
    """A collection of the team's with a required title."""
    name = f"notes_{token_hex(4)}"
    fields = [
        {"name": "title", "type": "text", "required": True},
        {"name": "sum", "type": "number"},
    ]
    body = {"name": name, "type": "base", "listRule": "", "fields": fields}
    await office.dashboard.call("POST", "/api/collections", body)
    return name


async def test_a_result_is_stored(office: Office) -> None:
    """Status, result and state; a null keeps what is there."""
    [id] = await office.add()
    [item] = await office.claim()
    await office.settle(item, "waiting", state={"cursor": "a"}, error="slow")
    await office.make_due(id)
    [item] = await office.claim()
    assert item.state == {"cursor": "a"}
    answer = await office.settle(item, "done", result={"sum": 7})
    assert answer.settled == (id,)
    row = await office.read(id)
    assert (row["status"], row["result"], row["state"]) == ("done", {"sum": 7}, {"cursor": "a"})
    assert (row["error"], bool(row["completed_at"])) == ("", True)


async def test_an_item_that_is_given_back_has_its_attempt_again(office: Office) -> None:
    """It is due at once for another process."""
    [id] = await office.add()
    [item] = await office.claim()
    await office.settle(item, "waiting", undo_attempt=True)
    [item] = await office.claim()
    assert (item.id, item.attempts) == (id, 1)


async def test_records_commit_with_the_result(office: Office, notes: str) -> None:
    """Created, changed, upserted and deleted in one transaction, with validation."""
    kept, gone = "keep00000000000", "gone00000000000"
    for id in (kept, gone):
        body = {"id": id, "title": id, "sum": 1}
        await office.dashboard.call("POST", f"/api/collections/{notes}/records", body)
    await office.add()
    [item] = await office.claim()
    writes = [
        WriteRequest(method="create", collection=notes, data={"title": "made"}),
        WriteRequest(method="update", collection=notes, id=kept, data={"title": "kept", "sum+": 4}),
        WriteRequest(
            method="upsert", collection=notes, id="upse00000000000", data={"title": "new"}
        ),
        WriteRequest(method="delete", collection=notes, id=gone),
        WriteRequest(method="delete", collection=notes, id="none00000000000"),
    ]
    answer = await office.settle(item, "done", writes=writes)
    assert (answer.settled, answer.failed) == ((item.id,), ())
    assert await _collect(office, notes) == ["kept", "made", "new"]
    [row] = await office.dashboard.list(notes, "title = 'kept'")
    assert row["sum"] == 5


@pytest.mark.parametrize(
    "bad",
    [
        {"method": "create", "data": {"title": ""}},
        {"method": "create", "id": "short", "data": {"title": "x"}},
        {"method": "update", "id": "none00000000000", "data": {"title": "x"}},
        {"method": "create", "collection": "no_such", "data": {}},
        {"method": "create", "data": {"title": "x", "titel": "misspelt"}},
    ],
)
async def test_writes_that_fail_settle_nothing(
    bad: dict[str, Any], office: Office, notes: str
) -> None:
    """The item still runs, its other writes are undone, and the error names the write."""
    await office.add(2)
    item, other = await office.claim()
    writes = [
        WriteRequest(method="create", collection=notes, data={"title": "first"}),
        WriteRequest(**({"collection": notes} | bad)),
    ]
    answer = await office.settle(item, "done", writes=writes)
    assert answer.settled == ()
    [failed] = answer.failed
    assert failed.id == item.id
    assert failed.error.startswith(f"Error: write 2, {bad['method']}")
    assert await _collect(office, notes) == []
    assert (await office.read(item.id))["status"] == "running"
    assert (await office.settle(other, "done")).settled == (other.id,)


async def test_writes_of_a_lost_lease_are_not_made(office: Office, notes: str) -> None:
    """A process that comes back too late writes nothing: no double effect."""
    [id] = await office.add()
    [lost] = await office.claim()
    await office.expire_lease(id)
    [item] = await office.claim()
    for each, title in ((lost, "late"), (item, "right")):
        writes = [WriteRequest(method="create", collection=notes, data={"title": title})]
        await office.settle(each, "done", writes=writes)
    assert await _collect(office, notes) == ["right"]


async def test_an_operator_retries_and_cancels(office: Office) -> None:
    """Parked items become due with all tries; items that are done stay as they are."""
    ids = await office.add(3, tries=1)
    items = await office.claim()
    for item, status in zip(items, ("parked", "done", "parked"), strict=True):
        await office.settle(item, status, error="broken")
    assert await office.queue.retry(ids[:2]) == 1
    assert await office.queue.retry([], office.handler) == 1
    assert {item.id for item in await office.claim()} == {ids[0], ids[2]}
    waiting = await office.add(1)
    assert await office.queue.cancel([*waiting, ids[1], ids[0]]) == 2
    rows = [await office.read(id) for id in (*waiting, ids[1], ids[0])]
    found = [(row["status"], row["cancel"]) for row in rows]
    assert found == [("cancelled", False), ("done", False), ("running", True)]


async def test_users_read_their_own_jobs_only(office: Office, browser: Frontend) -> None:
    """A user lists their jobs without internal columns, and gets progress by realtime."""
    user, stranger = await browser.sign_up(), await browser.sign_up()
    [job] = await office.add(kind="job", user=user.id, payload={"secret": 1})
    await office.add(kind="task", user=user.id)
    assert await browser.list_records("gateway_work", token=stranger.token) == []
    assert await browser.list_records("gateway_work", token="") == []
    [row] = await browser.list_records("gateway_work", token=user.token)
    assert (row["id"], row["status"]) == (job, "waiting")
    assert row.keys().isdisjoint({"payload", "claim", "lease", "state", "key"})
    async with browser.subscribe("gateway_work/*", token=user.token) as feed:
        [item] = [each for each in await office.claim() if each.id == job]
        await office.settle(item, "done", result=42)
        change = await feed.next(lambda change: change.record["status"] == "done")
    assert change.record["result"] == 42
