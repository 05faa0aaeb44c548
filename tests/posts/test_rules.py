"""The example's rules, each in a line or two, without a server or a double."""

from typing import Any

import pytest
from pydantic import ValidationError

from gateway.transforms import FieldErrors, TransformContext
from shop.posts import (
    PostInput,
    check_content,
    choose_author,
    describe,
    needs_slug,
    was_published,
)

_ANN = {"id": "ann", "collectionName": "users"}
_ROOT = {"id": "root", "collectionName": "_superusers"}
_STORED = {"author": "ann", "published": False, "published_at": "", "slug": "a"}


def _update(*sent: str, **stored: Any) -> TransformContext:
    return TransformContext("update", "posts", _STORED | stored, _ANN, frozenset(sent))


def test_words_are_counted_in_what_is_stored() -> None:
    """Computed values follow from the sanitized text, not from the sent one."""
    post = PostInput(title=" A ", content="<p>one</p><script>two three</script>", tags=["JS", "js"])
    assert describe(post) == {
        "title": "A",
        "content": "<p>one</p>",
        "word_count": 1,
        "tags": ["javascript"],
    }


@pytest.mark.parametrize(
    ("author", "context", "chosen"),
    [
        ("", TransformContext("create", "posts", user=_ANN), "ann"),
        ("ann", TransformContext("create", "posts", user=_ANN), "ann"),
        ("bob", TransformContext("create", "posts", user=_ROOT), "bob"),
        ("ann", _update("title"), "ann"),
    ],
)
def test_the_author_is_who_writes(author: str, context: TransformContext, chosen: str) -> None:
    """A user writes in their own name, a superuser in any user's."""
    assert choose_author(PostInput(title="A", author=author), context) == chosen


@pytest.mark.parametrize(
    "context", [TransformContext("create", "posts", user=_ANN), _update("author")]
)
def test_another_author_is_refused(context: TransformContext) -> None:
    """A user can't write in another's name, or give a post away."""
    with pytest.raises(FieldErrors) as refused:
        choose_author(PostInput(title="A", author="bob"), context)
    assert set(refused.value.errors) == {"author"}


@pytest.mark.parametrize("author", ['x" || id != "', "x\\", "a b"])
def test_an_author_is_an_id(author: str) -> None:
    """Nothing else comes into a filter, by which the gateway would read as superuser."""
    with pytest.raises(ValidationError):
        PostInput(title="A", author=author)


@pytest.mark.parametrize(
    ("context", "needed"),
    [
        (TransformContext("create", "posts"), True),
        (_update("title"), True),
        (_update("content"), False),
        (_update("title", published_at="2026-01-01 00:00:00.000Z"), False),
    ],
)
def test_the_address_of_what_was_published_stays(context: TransformContext, needed: bool) -> None:
    """The slug follows the title until readers may have links to it."""
    assert needs_slug(context) is needed


def test_publishing_is_a_change() -> None:
    """Only a post that was not a draft before counts as published already."""
    assert was_published(_update("title", published=True))
    assert not was_published(_update("published"))
    assert not was_published(TransformContext("create", "posts"))


def test_all_that_lacks_is_said_at_once() -> None:
    """An announcement of two words without an image has two errors."""
    post = PostInput(title="A", content="Two words", tags=["Announcement"])
    with pytest.raises(FieldErrors) as refused:
        check_content(post, describe(post))
    assert set(refused.value.errors) == {"content", "featured_image"}
