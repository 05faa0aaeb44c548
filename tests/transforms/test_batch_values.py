"""A transform is shown the values of a batch's item that PocketBase will store, and no others."""

import json
from typing import Any

import httpx
import pytest

from tests.dashboard import Dashboard
from tests.frontend import Frontend

MIRRORS = "/api/collections/mirrors/records"


async def _make(board: Dashboard) -> dict[str, Any]:
    values = {"title": "stored", "count": 5, "tags": ["a"], "score": 3}
    made: dict[str, Any] = await board.call("POST", MIRRORS, values)
    return made


async def _change(
    client: Frontend, url: str, body: dict[str, Any], files: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Send a batch of one update as a form; return the record."""
    payload = json.dumps({"requests": [{"method": "PATCH", "url": url, "body": body}]})
    form: dict[str, Any] = {"data": {"@jsonPayload": payload}} if files else {"content": payload}
    headers = {} if files else {"Content-Type": "application/json"}
    answer: httpx.Response = await client.http.post(
        "/api/batch", **form, files=files, headers=headers
    )
    assert answer.status_code == 200, answer.text
    record: dict[str, Any] = answer.json()[0]["body"]
    return record


@pytest.mark.parametrize("prefix", ["requests.0.", "requests[0]."])
@pytest.mark.parametrize("name", ["title", "count", "tags", "tags-", "+title", "image-", "seen"])
async def test_a_file_is_no_value_of_another_field(
    client: Frontend, board: Dashboard, prefix: str, name: str
) -> None:
    """PocketBase ignores it, so the transform is shown what is stored, not an empty field."""
    made = await _make(board)
    files = {f"{prefix}{name}": ("cat.txt", b"hello")}
    changed = await _change(client, f"{MIRRORS}/{made['id']}", {}, files)
    seen = changed["seen"]
    assert seen["sent"] == []
    assert seen["incoming"] == {
        "id": made["id"],
        "title": "stored",
        "count": 5,
        "tags": ["a"],
        "image": [],
    }


@pytest.mark.parametrize("name", ["image", "image+", "+image"])
async def test_a_file_of_a_batch_is_seen_by_any_spelling(
    client: Frontend, board: Dashboard, name: str
) -> None:
    """PocketBase stores exactly the values that the transform was given."""
    made = await _make(board)
    files = {f"requests.0.{name}": ("cat.txt", b"hello")}
    changed = await _change(client, f"{MIRRORS}/{made['id']}", {}, files)
    assert changed["image"][0].startswith("cat_")
    [[_, original_name, size, _]] = changed["seen"]["files"]["image"]
    assert (original_name, size) == ("cat.txt", 5)
    assert changed["seen"]["sent"] == ["image"]


async def test_a_hidden_field_does_not_count_as_sent(client: Frontend, board: Dashboard) -> None:
    """PocketBase does not let a user set it, in a batch neither."""
    made = await _make(board)
    changed = await _change(client, f"{MIRRORS}/{made['id']}", {"score": 99, "title": "new"})
    assert changed["seen"]["sent"] == ["title"]
    assert (await board.call("GET", f"{MIRRORS}/{made['id']}"))["score"] == 3


@pytest.mark.parametrize("query", ["x=%zz", "x=100%", "&&=&x", "x=;"])
async def test_a_query_that_is_not_well_formed_is_pocketbases_to_judge(
    client: Frontend, board: Dashboard, query: str
) -> None:
    """It is answered as without a transform."""
    answers = []
    for records in ("/api/collections/plain/records", MIRRORS):
        made = await board.call("POST", records, {"title": "stored"})
        url = f"{records}/{made['id']}?{query}"
        item = {"method": "PATCH", "url": url, "body": {"title": "new"}}
        answers.append(await client.http.post("/api/batch", json={"requests": [item]}))
    plain, passed = answers
    assert passed.status_code == plain.status_code
    if plain.status_code != 200:
        assert passed.json() == plain.json()
