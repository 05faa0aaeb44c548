"""How many posts a user may publish, by entitlements (docs/entitlements.md)."""

from gateway import PocketBase, filter

#: In the metadata of a Stripe product: `features` = `publishing`, `limit_publishing` = `3`.
FEATURE = "publishing"


async def read_allowance(pocketbase: PocketBase, user: str) -> int | None:
    """Return how many posts a user may have published at a time; None for no limit.

    Args:
        user: the id of the record in `users`.
    """
    # PocketBase's clock, as in API rules.
    holds = filter(
        "user = {:user} && feature = {:feature} && active_until > @now", user=user, feature=FEATURE
    )
    found = await pocketbase.collection("entitlements").first_or_none(holds, fields="limit")
    if found is None:
        return 0
    return int(found["limit"]) or None


async def count_published(pocketbase: PocketBase, user: str) -> int:
    """Return how many posts of a user are published."""
    mine = filter("author = {:user} && published = true", user=user)
    return await pocketbase.collection("posts").count(mine)
