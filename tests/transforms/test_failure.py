"""Writes with a transform that is unreachable, too slow or broken."""

import asyncio

import httpx
import pytest

from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.frontend import Frontend, User

NOTES = "/api/collections/notes/records"


async def refuse(client: Frontend, path: str, **body: object) -> httpx.Response:
    """Create a record that is refused; return the answer."""
    with pytest.raises(httpx.HTTPStatusError) as refused:
        await client.call("POST", path, body=body)
    return refused.value.response


async def test_a_slow_transform_refuses_the_write(client: Frontend) -> None:
    """After its time-out the client reads a 503 without fields, and nothing is stored."""
    answer = await refuse(client, "/api/collections/slow_closed/records", title="slow")
    assert answer.status_code == 503
    body = {
        "status": 503,
        "message": "The record can't be written right now. Please try again.",
        "data": {},
    }
    assert answer.json() == body
    assert await client.list_records("slow_closed") == []


async def test_a_slow_transform_may_let_the_write_pass(client: Frontend) -> None:
    """With `on_failure="open"` the record is stored unchanged, and marked."""
    body = {"title": "slow", "transform_skipped": False}
    made = await client.call("POST", "/api/collections/slow_open/records", body=body)
    assert made["title"] == "slow"
    assert made["transform_skipped"] is True


async def test_an_unexpected_error_tells_nothing(client: Frontend, records_stack: Stack) -> None:
    """The client reads a 500 without the error's text; the log has it with the request's id."""
    headers = {"X-Request-Id": "broken-request-1"}
    answer = await client.http.post(NOTES, json={"title": "broken"}, headers=headers)
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert answer.json()["data"] == {}
    log = records_stack.gateway.log.read_text()
    lines = [line for line in log.splitlines() if "request=broken-request-1" in line]
    [line] = [line for line in lines if 'msg="transform failed"' in line]
    assert "collection=notes" in line


async def test_values_are_not_logged_with_an_error_of_a_model(
    client: Frontend, records_stack: Stack
) -> None:
    """A model of the function's own that refuses a value: a 500, and a log without the value."""
    answer = await client.http.post(NOTES, json={"title": "misread", "body": "a private diary"})
    assert answer.status_code == 500
    log = records_stack.gateway.log.read_text()
    assert "_Other: 1 errors: number" in log
    assert "private diary" not in log


@pytest.mark.parametrize("request_id", ["x" * 70_000, "two words", "\u00fc"])
async def test_the_id_of_a_request_does_not_keep_the_gateway_from_being_asked(
    client: Frontend, request_id: str
) -> None:
    """A client can't end the call by it: that would open what fails open."""
    headers = {"X-Request-Id": request_id.encode()}
    answer = await client.http.post(NOTES, json={"title": "A  B"}, headers=headers)
    assert answer.status_code == 200
    assert answer.json()["slug"] == "a-b"


@pytest.mark.parametrize(
    ("title", "status", "message", "data"),
    [
        ("forbidden", 403, "This title is reserved.", {}),
        (
            "taken",
            400,
            "Failed to create record.",
            {"title": {"code": "title_taken", "message": "Choose another title."}},
        ),
    ],
)
async def test_a_transform_refuses_by_its_own_words(
    client: Frontend, title: str, status: int, message: str, data: dict[str, object]
) -> None:
    """`Refused` and `FieldErrors` reach the client as PocketBase's errors."""
    answer = await refuse(client, NOTES, title=title)
    assert answer.json() == {"status": status, "message": message, "data": data}


async def test_a_rule_across_fields_has_no_field(client: Frontend) -> None:
    """The text of a model's validator is the error's message."""
    answer = await refuse(client, NOTES, title="a secret", kind="secret", tags=["a"])
    message = "A secret note has no tags."
    assert answer.json() == {"status": 400, "message": message, "data": {}}


async def test_a_delete_can_be_refused(client: Frontend, author: User) -> None:
    """A transform for deletes sees the record, and keeps it or lets it go."""
    for title, outcome in (("locked", 403), ("loose", 204)):
        body = {"author": author.id, "title": title}
        made = await client.call("POST", NOTES, token=author.token, body=body)
        headers = {"Authorization": author.token}
        answer = await client.http.delete(f"{NOTES}/{made['id']}", headers=headers)
        assert answer.status_code == outcome


async def test_values_beyond_the_limit_are_refused_as_such(client: Frontend) -> None:
    """Ten megabytes for a collection that has a transform are a 413."""
    body = {"title": "large", "seen": "x" * 10_000_000}
    answer = await client.http.post("/api/collections/mirrors/records", json=body)
    assert answer.status_code == 413
    assert answer.json()["message"] == "The values are too large."


async def test_a_gateway_that_is_down_stops_only_what_passes_through_it(
    client: Frontend, records_stack: Stack, author: User, board: Dashboard
) -> None:
    """Collections with a transform refuse, after a restart too; others know nothing of it."""
    records_stack.gateway.stop()
    try:
        records_stack.pocketbase.restart()
        assert (await refuse(client, NOTES, title="down")).status_code == 503
        batch = {"requests": [{"method": "POST", "url": NOTES, "body": {"title": "down"}}]}
        answer = await client.http.post("/api/batch", json=batch)
        assert answer.json()["data"]["requests"]["0"]["response"]["status"] == 503
        await client.call("POST", "/api/collections/plain/records", body={"title": "up"})
        opened = await client.call("POST", "/api/collections/slow_open/records", body={})
        assert opened["transform_skipped"] is True
        made = await board.call("POST", NOTES, {"title": "by the gateway's own superuser"})
        assert made["slug"] == ""
    finally:
        records_stack.gateway.restart()
    body = {"author": author.id, "title": "up again"}
    made = await client.call("POST", NOTES, token=author.token, body=body)
    assert made["slug"] == "up-again"


async def test_a_lost_secret_opens_nothing(client: Frontend, records_stack: Stack) -> None:
    """PocketBase without the secret can't ask, and refuses also what would be let through."""
    pocketbase = records_stack.pocketbase
    secret = pocketbase.env.pop("GATEWAY_HOOK_SECRETS")
    try:
        pocketbase.restart()
        answer = await client.http.post("/api/collections/slow_open/records", json={})
        assert answer.status_code == 503
    finally:
        pocketbase.env["GATEWAY_HOOK_SECRETS"] = secret
        pocketbase.restart()
    opened = await client.call("POST", "/api/collections/slow_open/records", body={})
    assert opened["transform_skipped"] is True


async def test_a_gateway_that_hangs_holds_only_what_passes_through_it(
    client: Frontend, records_stack: Stack
) -> None:
    """Its writes and batches wait for their time-out outside of any transaction; others do not."""
    batch = {"requests": [{"method": "POST", "url": NOTES, "body": {"title": "hung"}}]}
    records_stack.gateway.pause()
    try:
        waiting = [
            asyncio.create_task(client.http.post(NOTES, json={"title": "hung"})),
            asyncio.create_task(client.http.post("/api/batch", json=batch)),
        ]
        opened = await client.call("POST", "/api/collections/slow_open/records", body={})
        assert opened["transform_skipped"] is True
        await client.call("POST", "/api/collections/plain/records", body={"title": "not hung"})
        assert not any(task.done() for task in waiting)
        single, several = await asyncio.gather(*waiting)
    finally:
        records_stack.gateway.resume()
    assert single.status_code == 503
    assert several.json()["data"]["requests"]["0"]["response"]["status"] == 503
    assert await client.list_records("notes", filter="title = 'hung'") == []
