"""Reading and writing records: one test per feature of `gateway.pocketbase.api.records`."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from gateway.pocketbase.api import (
    Auth,
    NotFound,
    PocketBaseClient,
    ValidationFailed,
    filter,
)
from tests.pocketbase_client.conftest import sign_up


async def _fill(pb: PocketBaseClient, mark: str, count: int) -> list[str]:
    """Create posts that the mark names; return their ids."""
    posts = pb.collection("posts")
    found = []
    for number in range(count):
        body = {"title": f"{mark} {number}", "score": number, "public": True}
        found.append((await posts.create(body))["id"])
    return found


async def test_a_created_record_is_read_updated_and_deleted(user: PocketBaseClient) -> None:
    """get, update, get_or_none and delete see what create wrote."""
    posts = user.collection("posts")
    me = (await user.collection("users").auth_refresh()).record["id"]
    made = await posts.create({"title": "Hello", "author": me})
    assert (await posts.get(made["id"]))["title"] == "Hello"
    changed = await posts.update(made["id"], {"title": "Bye"}, fields="id,title")
    assert changed == {"id": made["id"], "title": "Bye"}
    await posts.delete(made["id"])
    assert await posts.get_or_none(made["id"]) is None


async def test_large_integers_keep_their_digits(pb: PocketBaseClient) -> None:
    """A JSON or text column stores integers beyond 2⁵³ exactly: creates, updates, batches."""
    posts, data = pb.collection("posts"), {"id": 2**53 + 1, "list": [-(2**63), "9"]}
    made = await posts.create({"title": 2**60 + 1, "data": data})
    assert (made["title"], made["data"]) == (str(2**60 + 1), data)
    assert (await posts.update(made["id"], {"data": 2**53 + 1}))["data"] == 2**53 + 1
    async with pb.batch() as batch:
        batch.collection("posts").update(made["id"], {"data": [2**53 + 3]})
    assert (await posts.get(made["id"]))["data"] == [2**53 + 3]


async def test_values_keep_their_type(pb: PocketBaseClient) -> None:
    """Numbers, booleans, JSON, dates and lists are stored as such; None is empty."""
    body = {
        "title": "ünï \U0001f600 \"'\\ \n",
        "score": Decimal("1.5"),
        "tags": ("a", "b"),
        "due": datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC),
        "public": True,
        "data": {"list": [1, None, {"day": date(2026, 1, 2)}]},
        "author": None,
    }
    made = await pb.collection("posts").create(body)
    assert made["title"] == body["title"]
    assert made["score"] == 1.5
    assert made["tags"] == ["a", "b"]
    assert made["due"] == "2026-01-02 03:04:05.678Z"
    assert made["public"] is True
    assert made["data"] == {"list": [1, None, {"day": "2026-01-02 00:00:00.000Z"}]}
    assert made["author"] == ""


@pytest.mark.parametrize(
    ("value", "error", "reason"),
    [
        (float("nan"), ValueError, "not a number"),
        (datetime(2026, 1, 1), ValueError, "time zone"),
        (b"bytes", TypeError, "File"),
        (object(), TypeError, "no JSON form"),
        ("\ud800", ValueError, "surrogate"),
    ],
)
async def test_a_value_without_a_json_form_is_refused(
    pb: PocketBaseClient, value: Any, error: type[Exception], reason: str
) -> None:
    """The mistake is reported before anything is sent."""
    with pytest.raises(error, match=reason):
        await pb.collection("posts").create({"title": "x", "data": value})


async def test_modifiers_change_the_stored_value(pb: PocketBaseClient) -> None:
    """`field+`, `+field` and `field-` add, append, prepend and remove."""
    posts = pb.collection("posts")
    id = (await posts.create({"title": "x", "score": 5, "tags": ["b"]}))["id"]
    changed = await posts.update(id, {"score+": 2, "tags+": "c"})
    assert (changed["score"], changed["tags"]) == (7, ["b", "c"])
    changed = await posts.update(id, {"score-": 3, "+tags": ["a"]})
    assert (changed["score"], changed["tags"]) == (4, ["a", "b", "c"])
    assert (await posts.update(id, {"tags-": ["a", "b"]}))["tags"] == ["c"]


async def test_first_returns_the_first_match_or_raises(pb: PocketBaseClient) -> None:
    """The order is `sort`'s; without a match it is NotFound, or None."""
    await _fill(pb, "first", 3)
    posts = pb.collection("posts")
    match = filter("title ~ {:mark}", mark="first ")
    assert (await posts.first(match, sort="-score"))["score"] == 2
    assert (await posts.first(match, sort=["score"]))["score"] == 0
    with pytest.raises(NotFound, match="posts"):
        await posts.first("title = 'no such'")
    assert await posts.first_or_none("title = 'no such'") is None


async def test_a_page_has_its_records_and_the_total(pb: PocketBaseClient) -> None:
    """page, per_page, sort, filter, fields and skip_total do what PocketBase says."""
    await _fill(pb, "paged", 5)
    posts = pb.collection("posts")
    page = await posts.list(2, 2, filter="title ~ 'paged '", sort="score", fields=["score"])
    assert page.items == [{"score": 2}, {"score": 3}]
    assert (page.page, page.per_page, page.total_items, page.total_pages) == (2, 2, 5, 3)
    page = await posts.list(filter="title ~ 'paged '", skip_total=True)
    assert (len(page.items), page.total_items, page.total_pages) == (5, -1, -1)
    assert await posts.count("title ~ 'paged '") == 5


@pytest.mark.parametrize(("page", "per_page"), [(0, 30), (1, 0), (1, 1001)])
async def test_a_page_that_does_not_exist_is_refused(
    pb: PocketBaseClient, page: int, per_page: int
) -> None:
    """PocketBase would answer with another page than was asked for."""
    with pytest.raises(ValueError, match="1000"):
        await pb.collection("posts").list(page, per_page)


@pytest.mark.parametrize("sort", [None, "-score"])
async def test_iterate_yields_every_record_once(pb: PocketBaseClient, sort: str | None) -> None:
    """For every size of pages; `limit` ends it."""
    mark = f"all{sort or ''}"
    ids = await _fill(pb, mark, 7)
    posts = pb.collection("posts")
    match = filter("title ~ {:mark}", mark=f"{mark} ")
    for size in (1, 3, 7, 500):
        found = [r["id"] async for r in posts.iterate(filter=match, sort=sort, per_page=size)]
        assert sorted(found) == sorted(ids)
        kept = posts.iterate(filter=match, sort=sort, per_page=size, limit=5)
        assert len([record async for record in kept]) == 5
    assert [r async for r in posts.iterate(filter=match, sort=sort, limit=0)] == []


async def test_a_deleted_record_does_not_hide_another(pb: PocketBaseClient) -> None:
    """By page numbers, a record deleted meanwhile would make iterate leave one out."""
    ids = sorted(await _fill(pb, "moving", 6))
    posts = pb.collection("posts")
    found = []
    async for record in posts.iterate(filter="title ~ 'moving '", per_page=2):
        found.append(record["id"])
        if record["id"] in ids[:4]:
            await posts.delete(record["id"])
    assert found == ids


async def test_a_full_list_is_whole_or_an_error(pb: PocketBaseClient) -> None:
    """More records than `limit` raise, because a part would look like all."""
    ids = await _fill(pb, "full", 4)
    posts = pb.collection("posts")
    found = await posts.full_list(filter="title ~ 'full '", fields="id", limit=4)
    assert sorted(record["id"] for record in found) == sorted(ids)
    assert len(await posts.full_list(filter="title ~ 'full '", fields="title")) == 4
    with pytest.raises(ValueError, match="more than 3"):
        await posts.full_list(filter="title ~ 'full '", limit=3)


async def test_relations_come_along(pb: PocketBaseClient, author: Auth[dict[str, Any]]) -> None:
    """expand takes relations, back relations and paths of them."""
    post = await pb.collection("posts").create({"title": "x", "author": author.record["id"]})
    await pb.collection("comments").create({"text": "nice", "post": post["id"]})
    found = await pb.collection("posts").get(post["id"], expand=["author", "comments_via_post"])
    assert found["expand"]["author"]["name"] == "Ann"
    assert [each["text"] for each in found["expand"]["comments_via_post"]] == ["nice"]
    comment = await pb.collection("comments").first(
        filter("post = {:id}", id=post["id"]), expand="post.author"
    )
    assert comment["expand"]["post"]["expand"]["author"]["name"] == "Ann"


async def test_upsert_creates_then_updates(pb: PocketBaseClient) -> None:
    """The record's id decides; a refused value is the same error as of create."""
    posts = pb.collection("posts")
    made = await posts.upsert({"id": "upserted0000000", "title": "one", "score": 1})
    assert made["title"] == "one"
    assert (await posts.upsert({"id": "upserted0000000", "title": "two"}))["score"] == 1
    assert (await posts.get("upserted0000000"))["title"] == "two"
    with pytest.raises(ValidationFailed) as caught:
        await posts.upsert({"id": "upserted0000000", "title": ""})
    assert caught.value.fields["title"].code == "validation_required"
    with pytest.raises(ValueError, match="id"):
        await posts.upsert({"title": "no id"})


@pytest.mark.parametrize("id", ["", ".", "..", "a/b", "../../settings", "?x=1", "\ud800", "%2e%2e"])
async def test_an_id_from_outside_is_never_another_path(pb: PocketBaseClient, id: str) -> None:
    """It is one segment of the path, or not found."""
    posts = pb.collection("posts")
    with pytest.raises(NotFound):
        await posts.get(id)
    with pytest.raises(NotFound):
        await posts.update(id, {"title": "changed"})
    with pytest.raises(NotFound):
        await posts.delete(id)


async def test_rules_hold_for_users_and_not_for_superusers(
    pb: PocketBaseClient, user: PocketBaseClient, guest: PocketBaseClient
) -> None:
    """Each client sees what its caller may see."""
    other = await sign_up(pb)
    body = {"title": "hidden", "author": other.record["id"]}
    id = (await pb.collection("posts").create(body))["id"]
    assert (await pb.collection("posts").get(id))["title"] == "hidden"
    assert (await pb.with_token(other.token).collection("posts").get(id))["title"] == "hidden"
    for client in (user, guest):
        assert await client.collection("posts").get_or_none(id) is None
        assert await client.collection("posts").first_or_none("title = 'hidden'") is None
