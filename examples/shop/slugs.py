"""Unique slugs of posts."""

from secrets import token_hex

from gateway import PocketBase, filter


async def find_free(pocketbase: PocketBase, slug: str) -> str:
    """Return the slug, with a random suffix if another post has it.

    Two concurrent writes may both find it free; PocketBase's unique index then refuses the second
    with an error of the field.
    """
    posts = pocketbase.collection("posts")
    taken = await posts.first_or_none(filter("slug = {:slug}", slug=slug), fields="id")
    return f"{slug}-{token_hex(3)}" if taken else slug
