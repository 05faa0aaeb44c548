"""Who may publish, and how much: what was bought decides (docs/entitlements.md)."""

from gateway.pocketbase import PocketBase
from gateway.records import filter

#: In the metadata of a Stripe product: `features` = `publishing`, `limit_publishing` = `3`.
FEATURE = "publishing"


async def read_allowance(pocketbase: PocketBase, user: str) -> int | None:
    """Return how many posts a user may have published at a time; None for any number.

    Args:
        user: the id of the record in `users`.
    """
    # By PocketBase's clock, as rules compare it.
    holds = filter(
        "user = {:user} && feature = {:feature} && active_until > @now", user=user, feature=FEATURE
    )
    page = await pocketbase.call(
        "GET",
        "/api/collections/entitlements/records",
        query={"filter": holds, "fields": "limit", "perPage": 1, "skipTotal": 1},
    )
    if not page["items"]:
        return 0
    return int(page["items"][0]["limit"]) or None


async def count_published(pocketbase: PocketBase, user: str) -> int:
    """Return how many posts of a user are published."""
    page = await pocketbase.call(
        "GET",
        "/api/collections/posts/records",
        query={
            "filter": filter("author = {:user} && published = true", user=user),
            "perPage": 1,
            "fields": "id",
        },
    )
    return int(page["totalItems"])
