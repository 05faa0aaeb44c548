"""Direct writes by PocketBase's own API pass through the transform of their collection."""

from typing import Any

import httpx
import pytest

from tests.frontend import Frontend, User

NOTES = "/api/collections/notes/records"


async def create(client: Frontend, user: User, **values: Any) -> dict[str, Any]:
    """Create a note of the user's."""
    body = {"author": user.id, **values}
    made: dict[str, Any] = await client.call("POST", NOTES, token=user.token, body=body)
    return made


async def test_a_create_stores_what_the_transform_returns(client: Frontend, author: User) -> None:
    """Values are normalized, computed ones added, and the response is PocketBase's own."""
    made = await create(client, author, title="  Hello   World ", tags=["a"])
    assert made["title"] == "Hello World"
    assert made["slug"] == "hello-world"
    assert made["kind"] == "plain"
    assert made["tags"] == ["a"]
    assert await client.call("GET", f"{NOTES}/{made['id']}") == made


async def test_values_that_are_not_valid_come_back_at_their_fields(
    client: Frontend, author: User
) -> None:
    """Pydantic's errors have the form of PocketBase's, and nothing is stored."""
    with pytest.raises(httpx.HTTPStatusError) as refused:
        await create(client, author, title="x", count=-1)
    answer = refused.value.response
    assert answer.status_code == 400
    assert answer.json() == {
        "status": 400,
        "message": "Failed to create record.",
        "data": {
            "count": {
                "code": "validation_greater_than_equal",
                "message": "Input should be greater than or equal to 0.",
            },
            "title": {
                "code": "validation_string_too_short",
                "message": "String should have at least 3 characters.",
            },
        },
    }


async def test_an_update_sees_the_whole_record(client: Frontend, author: User) -> None:
    """Other fields keep their values, and modifiers are resolved before the transform."""
    made = await create(client, author, title="Counting", count=5, tags=["a"])
    path = f"{NOTES}/{made['id']}"
    body = {"count-": 2, "tags+": "b"}
    changed = await client.call("PATCH", path, token=author.token, body=body)
    assert (changed["title"], changed["count"], changed["tags"]) == ("Counting", 3, ["a", "b"])
    with pytest.raises(httpx.HTTPStatusError) as refused:
        await client.call("PATCH", path, token=author.token, body={"count-": 9})
    assert refused.value.response.json()["data"].keys() == {"count"}
    assert (await client.call("GET", path))["count"] == 3
