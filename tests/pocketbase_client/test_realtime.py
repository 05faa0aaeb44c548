"""Changes of records, live: also when the connection breaks."""

import asyncio
from typing import Any

import pytest

from gateway.dev.pocketbase import PocketBaseProcess
from gateway.dev.ports import pick_free
from gateway.pocketbase.api import (
    Auth,
    Change,
    Gap,
    InvalidRecord,
    PocketBaseClient,
    Unauthenticated,
    Unavailable,
)
from tests.deadline import eventually
from tests.pocketbase_client.blog import Post

_SECONDS = 15.0


async def _next(events: Any) -> Any:
    async with asyncio.timeout(_SECONDS):
        return await anext(events)


async def test_every_change_of_a_collection_arrives(pb: PocketBaseClient) -> None:
    """In order, with what was done and the record."""
    posts = pb.collection("posts")
    async with posts.subscribe() as events:
        made = await posts.create({"title": "live"})
        await posts.update(made["id"], {"title": "changed"})
        await posts.delete(made["id"])
        found = [await _next(events) for _ in range(3)]
    assert [each.action for each in found] == ["create", "update", "delete"]
    assert [each.record["title"] for each in found] == ["live", "changed", "changed"]


async def test_one_record_can_be_followed_as_a_model(pb: PocketBaseClient) -> None:
    """Changes of others don't arrive."""
    posts = pb.collection("posts", Post)
    followed, other = await posts.create(Post(title="a")), await posts.create(Post(title="b"))
    async with posts.subscribe(followed.id) as events:
        await posts.update(other.id, {"score": 1})
        await posts.update(followed.id, {"score": 2})
        change = await _next(events)
    assert isinstance(change, Change)
    assert isinstance(change.record, Post)
    assert (change.record.id, change.record.score, change.record.due) == (followed.id, 2, None)


async def test_options_select_and_expand(
    pb: PocketBaseClient, author: Auth[dict[str, Any]]
) -> None:
    """filter, expand and fields are those of a list."""
    posts = pb.collection("posts")
    options = {"filter": "title ~ 'wänted & \"'", "expand": "author", "fields": "title,expand"}
    async with posts.subscribe(**options) as events:
        await posts.create({"title": "ignored"})
        await posts.create({"title": "wänted & \"'", "author": author.record["id"]})
        change = await _next(events)
    assert set(change.record) <= {"title", "expand"}
    assert change.record["title"] == "wänted & \"'"
    assert change.record["expand"]["author"]["name"] == "Ann"


async def test_only_what_the_caller_may_see_arrives(
    pb: PocketBaseClient, user: PocketBaseClient, author: Auth[dict[str, Any]]
) -> None:
    """The collection's rules decide, by the token of the client."""
    posts = pb.collection("posts")
    mine = {"title": "mine", "author": author.record["id"]}
    async with (
        user.collection("posts").subscribe() as for_user,
        pb.as_guest().collection("posts").subscribe() as for_guest,
    ):
        await posts.create({"title": "hidden"})
        await posts.create(mine)
        await posts.create({"title": "public", "public": True})
        assert [(await _next(for_user)).record["title"] for _ in range(2)] == ["mine", "public"]
        assert (await _next(for_guest)).record["title"] == "public"


async def test_a_restart_is_a_gap_and_the_subscription_goes_on(
    server: PocketBaseProcess, pb: PocketBaseClient
) -> None:
    """The consumer is told that changes may be missing, with the time; later ones arrive."""
    posts = pb.collection("posts")
    async with posts.subscribe() as events:
        await posts.create({"title": "before"})
        assert (await _next(events)).record["title"] == "before"
        await asyncio.to_thread(server.restart)
        gap = await _next(events)
        assert isinstance(gap, Gap)
        assert gap.since < gap.until
        await posts.create({"title": "after"})
        assert (await _next(events)).record["title"] == "after"


async def test_a_wait_that_is_cancelled_loses_nothing(pb: PocketBaseClient) -> None:
    """A time-out around `anext` leaves the subscription as it is."""
    posts = pb.collection("posts")
    async with posts.subscribe() as events:
        for number in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(events), 0.05)
            await posts.create({"title": f"number {number}"})
            assert (await _next(events)).record["title"] == f"number {number}"


async def test_an_expired_token_ends_the_subscription(
    server: PocketBaseProcess, pb: PocketBaseClient, author: Auth[dict[str, Any]]
) -> None:
    """Instead of going on as a guest's, once the connection has to be renewed."""
    auth = await pb.collection("users").impersonate(author.record["id"], 1)
    client = pb.with_token(auth.token)
    async with client.collection("posts").subscribe() as events:
        await eventually(lambda: _is_expired(client))
        await asyncio.to_thread(server.restart)
        for _ in range(2):  # Also if it is asked again.
            with pytest.raises(Unauthenticated, match="expired"):
                await _next(events)


async def _is_expired(client: PocketBaseClient) -> bool:
    try:
        await client.token()
    except Unauthenticated:
        return True
    return False


async def test_a_record_that_does_not_fit_is_an_error_and_not_the_end(
    pb: PocketBaseClient,
) -> None:
    """The next change arrives."""

    class Scored(Post):
        score: int

    posts = pb.collection("posts")
    async with pb.collection("posts", Scored).subscribe() as events:
        await posts.create({"title": "bad", "score": 1.5})
        await posts.create({"title": "good", "score": 2})
        with pytest.raises(InvalidRecord):
            await _next(events)
        assert (await _next(events)).record.title == "good"


async def test_without_pocketbase_there_is_no_subscription() -> None:
    """The first connection is the caller's to retry."""
    async with PocketBaseClient(f"http://127.0.0.1:{pick_free()}") as client:
        with pytest.raises(Unavailable):
            await client.collection("posts").subscribe().__aenter__()


async def test_a_subscription_needs_its_context(pb: PocketBaseClient) -> None:
    """Otherwise nothing would close the connection."""
    with pytest.raises(RuntimeError, match="async with"):
        await anext(pb.collection("posts").subscribe())
