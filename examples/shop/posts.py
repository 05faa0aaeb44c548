"""The transform of posts: validates the author's input and computes the other fields."""

import re
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from gateway import FieldErrors, Router, TransformContext
from shop.publishing import count_published, read_limit
from shop.slugs import find_free
from shop.text import count_words, normalize_tags, sanitize, slugify

_MIN_WORDS = 3

router = Router()


class PostInput(BaseModel):
    """The fields that authors write; the others are computed."""

    model_config = ConfigDict(str_strip_whitespace=True)

    title: str = Field(min_length=1, max_length=200)
    content: str = ""
    #: A record's id.
    author: str = Field(default="", pattern=r"^\w*$")
    published: bool = False
    tags: list[str] = Field(default_factory=list, max_length=20)
    #: The file's name; PocketBase checks type and size.
    featured_image: str = ""


@router.transform("posts", on={"create", "update"})
async def prepare_post(post: PostInput, context: TransformContext) -> dict[str, Any]:
    """Return the values to store.

    Raises:
        FieldErrors: a value is not valid, or the author's entitlement does not allow publishing.
    """
    author = choose_author(post, context)
    values = describe(post) | keep_computed(context) | {"author": author}
    if post.published:
        check_content(post, values)
    if needs_slug(context):
        values["slug"] = await find_slug(post.title, context)
    if post.published and not was_published(context):
        await check_allowance(author, context)
        values["published_at"] = values["published_at"] or datetime.now(UTC)
    return values


def describe(post: PostInput) -> dict[str, Any]:
    """Return the values that depend only on the input."""
    content = sanitize(post.content)
    return {
        "title": post.title,
        "content": content,
        "tags": normalize_tags(post.tags),
        "word_count": count_words(content),
    }


def keep_computed(context: TransformContext) -> dict[str, Any]:
    """Return the stored values of computed fields."""
    original = context.original or {}
    return {name: original.get(name, "") for name in ("slug", "published_at")}


def choose_author(post: PostInput, context: TransformContext) -> str:
    """Return the author: the user who creates the post; it never changes."""
    stored = context.original
    author = str(stored["author"]) if stored else own_id(context) or post.author
    if post.author not in ("", author):
        raise FieldErrors({"author": ("validation_author_fixed", "The author can't be changed.")})
    return author


def own_id(context: TransformContext) -> str:
    """Return the id of the signed-in user, "" for superusers, who write for others."""
    user = context.user or {}
    return str(user["id"]) if user.get("collectionName") == "users" else ""


def was_published(context: TransformContext) -> bool:
    """Return whether the stored post is published."""
    return bool(context.original and context.original["published"])


def needs_slug(context: TransformContext) -> bool:
    """Return whether the slug follows the title: only before the first publication."""
    if context.original is None:
        return True
    return "title" in context.sent and not context.original["published_at"]


def check_content(post: PostInput, values: dict[str, Any]) -> None:
    """Refuse to publish an incomplete post."""
    errors = {}
    if values["word_count"] < _MIN_WORDS:
        message = f"A published post has at least {_MIN_WORDS} words."
        errors["content"] = ("validation_too_short", message)
    if "announcement" in values["tags"] and not post.featured_image:
        message = "An announcement is published with an image."
        errors["featured_image"] = ("validation_required", message)
    if errors:
        raise FieldErrors(errors)


async def check_allowance(author: str, context: TransformContext) -> None:
    """Refuse to publish more posts than the author's entitlement allows."""
    pocketbase = context.pocketbase
    limit = await read_limit(pocketbase, author)
    if limit == 0:
        message = "Your plan does not include publishing."
        raise FieldErrors({"published": ("validation_not_in_plan", message)})
    if limit and await count_published(pocketbase, author) >= limit:
        message = f"Your plan includes {limit} published posts."
        raise FieldErrors({"published": ("validation_plan_limit", message)})


async def find_slug(title: str, context: TransformContext) -> str:
    """Return a slug that no other post has."""
    slug = slugify(title)
    stored = str((context.original or {}).get("slug", ""))
    if re.fullmatch(rf"{slug}(-[0-9a-f]{{6}})?", stored):
        return stored
    return await find_free(context.pocketbase, slug)
