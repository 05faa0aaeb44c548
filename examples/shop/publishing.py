"""The number of posts that a user may publish: the limit of an entitlement."""

from pydantic import BaseModel

from gateway import CurrentUser, PocketBase, Router, filter

router = Router()

#: Given by the metadata of a Stripe product: `limit_publishing` = `3`.
FEATURE = "publishing"


class Publishing(BaseModel):
    """The published posts of a user and the limit of their plan."""

    published: int
    #: 0 without the feature, None for no limit.
    limit: int | None


@router.get("/publishing")
async def read_publishing(user: CurrentUser, pb: PocketBase) -> Publishing:
    """Return how many posts the caller has published and may publish at a time."""
    return Publishing(
        published=await count_published(pb, user.id), limit=await read_limit(pb, user.id)
    )


async def read_limit(pocketbase: PocketBase, user: str) -> int | None:
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
