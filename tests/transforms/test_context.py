"""A transform's input: values as they would be saved, the original, the user, files."""

import json
from typing import Any

import httpx
import pytest

from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.frontend import Frontend, User

MIRRORS = "/api/collections/mirrors/records"


async def test_a_create_is_given_what_the_client_sent(client: Frontend, author: User) -> None:
    """Only fields of the collection, without what users can't set; the user without secrets."""
    body = {"title": "seen", "count": "7", "score": 99, "nonsense": 1, "__proto__": {"a": 1}}
    made = await client.call("POST", MIRRORS, token=author.token, body=body)
    seen = made["seen"]
    assert seen["operation"] == "create"
    assert seen["incoming"] == {"title": "seen", "count": 7}
    assert seen["sent"] == ["count", "title"]
    assert seen["original"] is None
    assert seen["user"]["id"] == author.id
    assert seen["user"]["email"] == author.email
    assert seen["user"]["collectionName"] == "users"
    assert not {"password", "tokenKey"} & seen["user"].keys()
    assert seen["own"].startswith("opened for ")
    # PocketBase's hooks would read it as 2**53.
    assert seen["large"] == 2**53 + 1


async def test_an_update_is_given_the_original_with_its_hidden_fields(
    client: Frontend, author: User, board: Dashboard
) -> None:
    """A user can't set a hidden field by way of a transform, which itself sees what is stored."""
    made = await board.call("POST", MIRRORS, {"title": "before", "score": 5, "tags": ["a"]})
    path = f"{MIRRORS}/{made['id']}"
    body = {"score": 77, "tags+": ["b", "c"]}
    changed = await client.call("PATCH", path, token=author.token, body=body)
    seen = changed["seen"]
    assert seen["original"]["score"] == 5
    assert seen["original"]["tags"] == ["a"]
    assert seen["incoming"]["tags"] == ["a", "b", "c"]
    assert seen["incoming"]["title"] == "before"
    assert "score" not in seen["incoming"]
    assert seen["sent"] == ["tags"]
    assert (await board.call("GET", path))["score"] == 5


async def test_guests_are_nobody(client: Frontend) -> None:
    """Without a token there is no user."""
    made = await client.call("POST", MIRRORS, body={"title": "guest"})
    assert made["seen"]["user"] is None


async def test_files_are_seen_by_name_and_size(records_stack: Stack, author: User) -> None:
    """An upload is stored unchanged; the transform gets its name and size, not its content."""
    made = await _upload(records_stack, "mirrors", author)
    assert made["image"][0].startswith("cat_")
    [[name, original_name, size, content]] = made["seen"]["files"]["image"]
    assert (name, original_name, size) == (made["image"][0], "cat.txt", 11)
    assert content is None
    assert made["seen"]["incoming"]["image"] == made["image"]


@pytest.mark.parametrize("way", ["direct", "batch"])
async def test_a_file_of_a_hidden_field_does_not_come_in(
    way: str, records_stack: Stack, author: User, board: Dashboard
) -> None:
    """Users can't upload one, by itself or beside another: no transform gets it, none is stored."""
    url, prefix = f"{records_stack.pocketbase.url}{MIRRORS}", ""
    data = {"title": "with a proof"}
    if way == "batch":
        url, prefix = f"{records_stack.pocketbase.url}/api/batch", "requests.0."
        item = {"method": "POST", "url": MIRRORS, "body": {}}
        data = {"@jsonPayload": json.dumps({"requests": [item]})}
    for names in (["proof"], ["image", "proof"]):
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.post(
                url,
                data=data,
                files={f"{prefix}{name}": ("cat.txt", b"hello") for name in names},
                headers={"Authorization": author.token},
            )
        answer.raise_for_status()
        made = answer.json() if way == "direct" else answer.json()[0]["body"]
        assert list(made["seen"]["files"]) == names[:-1]
        assert "proof" not in made["seen"]["incoming"]
        assert (await board.call("GET", f"{MIRRORS}/{made['id']}"))["proof"] == ""


async def test_contents_are_shipped_to_who_asks_for_them(
    records_stack: Stack, author: User
) -> None:
    """A transform with `files=True` is given each file's bytes."""
    made = await _upload(records_stack, "albums", author)
    [[_, _, _, content]] = made["seen"]["files"]["image"]
    assert content == "hello files"


async def test_contents_beyond_the_limit_are_refused(records_stack: Stack) -> None:
    """Files that would not fit into a call are not read for it."""
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(
            f"{records_stack.pocketbase.url}/api/collections/albums/records",
            files=[("image", ("cat.txt", b"x" * 4_500_000)) for _ in range(2)],
        )
    assert answer.status_code == 413
    assert answer.json()["message"] == "The values are too large."


async def test_files_of_a_batch_are_seen_too(records_stack: Stack, author: User) -> None:
    """In a batch, whose files come beside its JSON, they are the same."""
    url = f"{records_stack.pocketbase.url}/api/batch"
    payload = '{"requests":[{"method":"POST","url":"/api/collections/mirrors/records","body":{}}]}'
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(
            url,
            data={"@jsonPayload": payload},
            files={"requests.0.image": ("cat.txt", b"hello files")},
            headers={"Authorization": author.token},
        )
    made = answer.raise_for_status().json()[0]["body"]
    assert made["image"][0].startswith("cat_")
    [[_, original_name, size, _]] = made["seen"]["files"]["image"]
    assert (original_name, size) == ("cat.txt", 11)


async def _upload(stack: Stack, collection: str, user: User) -> dict[str, Any]:
    url = f"{stack.pocketbase.url}/api/collections/{collection}/records"
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(
            url,
            data={"title": "with a file"},
            files={"image": ("cat.txt", b"hello files")},
            headers={"Authorization": user.token},
        )
    made: dict[str, Any] = answer.raise_for_status().json()
    return made
