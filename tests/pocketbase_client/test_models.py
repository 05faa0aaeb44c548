"""Records as Pydantic models."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from gateway.pocketbase.api import Auth, InvalidRecord, PocketBaseClient
from tests.pocketbase_client.blog import Post, Related


async def test_a_model_is_written_and_read(pb: PocketBaseClient) -> None:
    """Dates, lists and JSON have the model's types; PocketBase sets id and created."""
    posts = pb.collection("posts", Post)
    due = datetime(2026, 5, 4, tzinfo=UTC)
    made = await posts.create(Post(title="typed", due=due, tags=["a"], data={"n": 1}))
    assert len(made.id) == 15
    found = await posts.get(made.id)
    assert found == made
    assert (found.due, found.tags, found.data) == (due, ["a"], {"n": 1})
    assert found.published_at is not None
    assert found.published_at.tzinfo is not None


async def test_empty_values_are_none_where_the_type_allows_it(pb: PocketBaseClient) -> None:
    """PocketBase stores "" for an empty date, relation or file."""
    raw = await pb.collection("posts").create({"title": "empty"})
    assert (raw["due"], raw["author"], raw["cover"]) == ("", "", "")
    found = await pb.collection("posts", Post).get(raw["id"])
    assert (found.due, found.author, found.cover) == (None, None, None)
    assert found.documents == []
    await pb.collection("posts", Post).update(raw["id"], {"due": None, "author": None})


async def test_expanded_records_are_models(
    pb: PocketBaseClient, author: Auth[dict[str, Any]]
) -> None:
    """Nested models too have None for empty values; without expand they have their defaults."""
    posts = pb.collection("posts", Post)
    id = author.record["id"]
    await pb.collection("users").update(id, {"name": ""})
    made = await posts.create(Post(title="x", author=id))
    await pb.collection("comments").create({"text": "nice", "post": made.id})
    found = await posts.get(made.id, expand=["author", "comments_via_post"])
    assert found.expand.author is not None
    assert (found.expand.author.id, found.expand.author.name) == (id, None)
    assert [each.text for each in found.expand.comments_via_post] == ["nice"]
    assert made.expand == Related()
    assert (await posts.update(made.id, found)).expand == Related()


async def test_an_update_sends_what_was_set(pb: PocketBaseClient) -> None:
    """Defaults of the model don't overwrite stored values."""
    posts = pb.collection("posts", Post)
    made = await posts.create(Post(title="x", score=5))
    assert (await posts.update(made.id, Post(title="y"))).score == 5


async def test_every_way_to_read_gives_models(pb: PocketBaseClient) -> None:
    """list, first, iterate and full_list too."""
    posts = pb.collection("posts", Post)
    id = (await posts.create(Post(title="everywhere"))).id
    match = "title = 'everywhere'"
    assert (await posts.first(match)).id == id
    assert [post.id for post in (await posts.list(filter=match)).items] == [id]
    assert [post.id async for post in posts.iterate(filter=match)] == [id]
    assert [post.id for post in await posts.full_list(filter=match)] == [id]


async def test_a_secret_is_sent_as_it_is(pb: PocketBaseClient) -> None:
    """A model's SecretStr is the password, not asterisks."""

    class SignUp(BaseModel):
        email: str
        password: SecretStr
        passwordConfirm: SecretStr  # noqa: N815 (PocketBase's name)

    secret = SecretStr("correct-horse")
    body = SignUp(email="secret@example.com", password=secret, passwordConfirm=secret)
    await pb.collection("users").create(body)
    assert await pb.collection("users").auth_with_password(body.email, "correct-horse")


async def test_a_record_that_does_not_fit_names_fields_but_no_values(pb: PocketBaseClient) -> None:
    """The message says which record and field, and is safe to log."""

    class Strict(BaseModel):
        title: int
        due: datetime

    made = await pb.collection("posts").create({"title": "private text"})
    with pytest.raises(InvalidRecord) as caught:
        await pb.collection("posts", Strict).get(made["id"])
    message = str(caught.value)
    assert f"posts/{made['id']} does not fit Strict: title: " in message
    assert "due: " in message
    assert "private text" not in message
