"""Posts through PocketBase: the transform, and the limit of the author's plan."""

import pytest

from gateway import PocketBaseClient, ValidationFailed
from gateway.testing import Buy, SignedUpUser, Stack

_TEXT = "<p>Three words here</p>"


async def test_a_post_is_prepared(user: SignedUpUser) -> None:
    """The transform sets slug and author, removes scripts and replaces synonyms of tags."""
    post = await user.pb.collection("posts").create(
        {"title": " Über us ", "content": f"{_TEXT}<script>alert(1)</script>", "tags": ["JS"]}
    )
    assert (post["title"], post["slug"], post["author"]) == ("Über us", "uber-us", user.id)
    assert (post["content"], post["word_count"], post["tags"]) == (_TEXT, 3, ["javascript"])


async def test_errors_name_their_fields(user: SignedUpUser) -> None:
    """Without a plan a post is a draft: the error is one of the field `published`."""
    with pytest.raises(ValidationFailed) as refused:
        await user.pb.collection("posts").create(
            {"title": "Mine", "content": _TEXT, "published": True}
        )
    assert refused.value.data["published"]["code"] == "validation_not_in_plan"


async def test_a_plan_limits_published_posts(buy: Buy, user: SignedUpUser) -> None:
    """ "Writer" includes three published posts; the fourth is refused."""
    await buy("writer_monthly")
    posts = user.pb.collection("posts")
    for number in range(3):
        await posts.create({"title": f"Post {number}", "content": _TEXT, "published": True})
    assert (await user.http.get("/publishing")).json() == {"published": 3, "limit": 3}
    with pytest.raises(ValidationFailed) as refused:
        await posts.create({"title": "Post 3", "content": _TEXT, "published": True})
    assert refused.value.data["published"]["code"] == "validation_plan_limit"


async def test_guests_read_published_posts(stack: Stack, buy: Buy, user: SignedUpUser) -> None:
    """A draft is its author's only."""
    await buy("writer_monthly")
    posts = user.pb.collection("posts")
    await posts.create({"title": "A draft", "content": _TEXT})
    shown = await posts.create({"title": "For all", "content": _TEXT, "published": True})
    async with PocketBaseClient(stack.pocketbase.url) as guest:
        titles = {post["title"] for post in await guest.collection("posts").full_list()}
    assert shown["title"] in titles
    assert "A draft" not in titles
