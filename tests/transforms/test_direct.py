"""The same writes by PocketBase and by the gateway, and dry runs that write nothing."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.frontend import Frontend, User
from tests.http_client import open_client
from tests.problem import read_problem

NOTES = "/api/collections/notes/records"


@dataclass(frozen=True, slots=True)
class Way:
    """One of the two ways to write a note."""

    http: httpx.AsyncClient
    path: str
    bearer: str

    async def write(self, method: str, token: str, record: str = "", **sent: Any) -> httpx.Response:
        """Send a create, or an update of a record."""
        path = f"{self.path}/{record}" if record else self.path
        headers = dict(sent.pop("headers", {}))
        if token:
            headers["Authorization"] = self.bearer + token
        return await self.http.request(method, path, headers=headers, **sent)


@pytest_asyncio.fixture
async def direct(records_stack: Stack) -> AsyncIterator[Way]:
    """The gateway's way."""
    async with open_client(base_url=records_stack.gateway.url) as http:
        yield Way(http, "/records/notes", "Bearer ")


@pytest_asyncio.fixture
async def plain(records_stack: Stack) -> AsyncIterator[Way]:
    """PocketBase's way."""
    async with open_client(base_url=records_stack.pocketbase.url) as http:
        yield Way(http, NOTES, "")


def _compare(record: dict[str, Any]) -> dict[str, Any]:
    """A record without what differs from one creation to the next."""
    return {name: value for name, value in record.items() if name not in ("id", "image")}


BODIES: list[dict[str, Any]] = [
    {"json": {"title": "  Same   Thing ", "tags": ["a"], "count": 3}},
    {"data": {"title": " With a  File"}, "files": {"image": ("cat.txt", b"hello")}},
    {"json": {"title": "x", "count": -1}},
    {"json": {"title": "forbidden"}},
    {"json": {"title": "taken"}},
    {"json": {"title": "broken"}},
    {"json": {"title": "a secret", "kind": "secret", "tags": ["a"]}},
    {"json": {"title": "wrong tags", "tags": ["zebra"]}},
    {"json": {"title": "wrong type", "count": {"a": 1}}},
    {"json": {"title": "chosen", "id": "not a good id"}},
    {"content": b"{no json", "headers": {"Content-Type": "application/json"}},
    {"content": b"<a/>", "headers": {"Content-Type": "text/plain"}},
    {"json": {}},
]


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("sent", BODIES, ids=[str(next(iter(body.values()))) for body in BODIES])
async def test_both_ways_give_the_same(
    method: str, sent: dict[str, Any], direct: Way, plain: Way, author: User, board: Dashboard
) -> None:
    """Status, record or error are the same by the gateway as by PocketBase itself."""
    answers = []
    for way in (plain, direct):
        note = ""
        if method == "PATCH":
            made = await board.call("POST", NOTES, {"title": "before", "author": author.id})
            note = made["id"]
        answers.append(await way.write(method, author.token, note, **sent))
    expected, found = answers
    assert found.status_code == expected.status_code
    if expected.is_success:
        assert _compare(found.json()) == _compare(expected.json())
    else:
        document = read_problem(found, expected.status_code)
        assert {name: document[name] for name in expected.json()} == expected.json()


@pytest.mark.parametrize("who", ["guest", "stranger"])
async def test_pocketbases_rules_hold(
    who: str, direct: Way, plain: Way, author: User, client: Frontend, board: Dashboard
) -> None:
    """A user without access in PocketBase has none by the gateway either."""
    made = await board.call("POST", NOTES, {"title": "mine", "author": author.id})
    token = (await client.sign_up()).token if who == "stranger" else ""
    answers = [
        await way.write("PATCH", token, made["id"], json={"title": "theirs"})
        for way in (plain, direct)
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[1].json()["message"] == answers[0].json()["message"]


async def test_a_token_of_another_kind_is_no_guest(direct: Way, author: User) -> None:
    """A token of another scheme gets an error, and the caller is not treated as a guest."""
    sent = {"json": {"title": "who am I"}, "headers": {"Authorization": f"Token {author.token}"}}
    read_problem(await direct.write("POST", "", **sent), 401, "unauthenticated")


async def test_a_token_needs_no_scheme(direct: Way, author: User) -> None:
    """PocketBase's SDK sends the token alone: the record is the user's."""
    sent = {"json": {"title": "who am I", "kind": "author"}}
    for form in ("{}", "Bearer {}"):
        headers = {"Authorization": form.format(author.token)}
        answer = await direct.write("POST", "", **sent, headers=headers)
        assert answer.status_code == 200, answer.text


async def test_queries_are_passed_on(direct: Way, author: User) -> None:
    """`fields` and `expand` mean what they mean to PocketBase."""
    sent = {"json": {"title": "A  Field"}, "params": {"fields": "slug", "expand": "nothing"}}
    answer = await direct.write("POST", author.token, **sent)
    assert answer.json() == {"slug": "a-field"}


async def test_only_collections_with_a_transform_are_served(direct: Way, author: User) -> None:
    """Any other collection is PocketBase's to serve."""
    headers = {"Authorization": f"Bearer {author.token}"}
    for collection in ("plain", "users", "nothing", "..%2f..%2fsettings"):
        answer = await direct.http.post(f"/records/{collection}", json={}, headers=headers)
        assert answer.status_code == 404
    answer = await direct.http.patch("/records/slow_open/x", json={}, headers=headers)
    read_problem(answer, 404, "no-transform")


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_dry_run_answers_as_if_and_writes_nothing(
    method: str, direct: Way, author: User, client: Frontend, board: Dashboard
) -> None:
    """The answer is the record as it would be; no record, file or realtime event comes of it."""
    note = ""
    if method == "PATCH":
        made = await board.call("POST", NOTES, {"title": "before", "author": author.id})
        note = made["id"]
    before = await board.list("notes")
    dry = {"params": {"dry_run": "1"}}
    async with client.subscribe("notes/*", token=author.token) as feed:
        values = {"data": {"title": " Dry  Run ", "author": author.id}}
        file = {"files": {"image": ("cat.txt", b"hello")}}
        answer = await direct.write(method, author.token, note, **values, **file, **dry)
        assert answer.status_code == 200, answer.text
        assert answer.json()["slug"] == "dry-run"
        assert answer.json()["image"][0].startswith("cat_")
        assert await board.list("notes") == before
        await client.call("POST", NOTES, body={"title": "the first event"})
        assert (await feed.next()).record["title"] == "the first event"
    error = await direct.write(method, author.token, note, json={"title": "x"}, **dry)
    assert read_problem(error, 400)["data"].keys() == {"title"}
    error = await direct.write(
        method, author.token, note, json={"id": "bad id", "title": "abc"}, **dry
    )
    assert read_problem(error, 400)["data"].keys() == {"id"}


async def test_a_dry_run_meets_unique_indexes(direct: Way, author: User, board: Dashboard) -> None:
    """A value that another record has is an error of its field before anything is written."""
    index = "CREATE UNIQUE INDEX idx_notes_slug ON notes (slug) WHERE slug = 'only-one'"
    path = "/api/collections/notes"
    await board.call("PATCH", path, {"indexes": [index]})
    try:
        for expected in (200, 200):
            answer = await direct.write(
                "POST", author.token, json={"title": "only one"}, params={"dry_run": "true"}
            )
            assert answer.status_code == expected
        await board.call("POST", NOTES, {"title": "first", "slug": "only-one"})
        answer = await direct.write(
            "POST", author.token, json={"title": "only one"}, params={"dry_run": "true"}
        )
        assert read_problem(answer, 400)["data"]["slug"]["code"] == "validation_not_unique"
    finally:
        await board.call("PATCH", path, {"indexes": []})


@pytest.mark.parametrize("ticket", ["", ".", "1.2", "9999999999.abc", "x"])
@pytest.mark.parametrize("path", [NOTES, "/api/collections/plain/records"])
async def test_a_dry_run_without_a_ticket_is_no_write(
    path: str, ticket: str, client: Frontend, board: Dashboard
) -> None:
    """A client's own request for a dry run is refused, never stored."""
    await board.call("POST", "/api/gateway/dry-run")
    headers = {"X-Gateway-Dry-Run": ticket or "none"}
    answer = await client.http.post(path, json={"title": "no ticket"}, headers=headers)
    assert answer.status_code == 400
    collection = path.split("/")[3]
    assert await client.list_records(collection, filter="title = 'no ticket'") == []


async def test_a_batch_is_no_dry_run(client: Frontend, board: Dashboard) -> None:
    """An item of a batch could not be rolled back by itself: it is refused, never stored."""
    ticket = (await board.call("POST", "/api/gateway/dry-run"))["ticket"]
    items = [{"method": "POST", "url": NOTES, "body": {"title": "dry batch"}}]
    answer = await client.http.post(
        "/api/batch", json={"requests": items}, headers={"X-Gateway-Dry-Run": ticket}
    )
    assert answer.status_code == 400
    assert await client.list_records("notes", filter="title = 'dry batch'") == []


@pytest.mark.parametrize("record", ["%2e", "%2e%2e"])
async def test_an_address_is_a_records(record: str, direct: Way, board: Dashboard) -> None:
    """A path to the collection itself is not forwarded, also for superusers."""
    headers = {"Authorization": f"Bearer {board.token}"}
    path = f"/records/notes/{record}"
    answer = await direct.http.patch(path, json={"name": "other"}, headers=headers)
    read_problem(answer, 404)


async def test_a_dry_run_of_a_collection_without_a_transform_is_no_write(
    client: Frontend, board: Dashboard
) -> None:
    """Should PocketBase have lost the transform meanwhile, a dry run stays one."""
    ticket = (await board.call("POST", "/api/gateway/dry-run"))["ticket"]
    answer = await client.http.post(
        "/api/collections/plain/records",
        json={"title": "dry"},
        headers={"X-Gateway-Dry-Run": ticket},
    )
    assert answer.json()["title"] == "dry"
    assert await client.list_records("plain", filter="title = 'dry'") == []


async def test_a_dry_run_that_meets_another_process_is_no_write(
    records_stack: Stack, client: Frontend, board: Dashboard
) -> None:
    """PocketBase restarts between the ticket and the write: that is refused, never stored."""
    ticket = (await board.call("POST", "/api/gateway/dry-run"))["ticket"]
    records_stack.pocketbase.restart()
    answer = await client.http.post(
        "/api/collections/plain/records",
        json={"title": "late"},
        headers={"X-Gateway-Dry-Run": ticket},
    )
    assert answer.status_code == 400
    assert await client.list_records("plain", filter="title = 'late'") == []
