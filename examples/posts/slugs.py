"""Addresses of posts: each is taken once."""

from collections.abc import Set as AbstractSet
from itertools import count

from gateway.pocketbase import PocketBase


async def read_taken(pocketbase: PocketBase, slug: str) -> set[str]:
    """Return the slugs in use that begin like this one."""
    page = await pocketbase.call(
        "GET",
        "/api/collections/posts/records",
        query={
            "filter": f'slug ~ "{slug}%"',
            "fields": "slug",
            "perPage": 1000,
            "skipTotal": 1,
        },
    )
    return {item["slug"] for item in page["items"]}


def choose_free(slug: str, taken: AbstractSet[str]) -> str:
    """Return the slug, with the first number behind it that makes it free."""
    if slug not in taken:
        return slug
    return next(each for number in count(2) if (each := f"{slug}-{number}") not in taken)
