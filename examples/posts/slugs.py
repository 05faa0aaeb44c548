"""Addresses of posts: each is taken once."""

from secrets import token_hex

from gateway import PocketBase, filter


async def find_free(pocketbase: PocketBase, slug: str) -> str:
    """Return the slug, or the slug with a random ending if another post has it.

    Two who ask at the same moment may both be told that it is free; PocketBase's unique index then
    refuses the second, with an error of the field.
    """
    posts = pocketbase.collection("posts")
    taken = await posts.first_or_none(filter("slug = {:slug}", slug=slug), fields="id")
    return f"{slug}-{token_hex(3)}" if taken else slug
