"""Addresses of posts: each is taken once."""

from secrets import token_hex

from gateway.pocketbase import PocketBase
from gateway.records import filter


async def find_free(pocketbase: PocketBase, slug: str) -> str:
    """Return the slug, or the slug with a random ending if another post has it.

    Two who ask at the same moment may both be told that it is free; PocketBase's unique index then
    refuses the second, with an error of the field.
    """
    page = await pocketbase.call(
        "GET",
        "/api/collections/posts/records",
        query={
            "filter": filter("slug = {:slug}", slug=slug),
            "fields": "id",
            "perPage": 1,
            "skipTotal": 1,
        },
    )
    return f"{slug}-{token_hex(3)}" if page["items"] else slug
