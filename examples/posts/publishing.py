"""Who may publish, and how much: what was bought decides."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gateway.pocketbase import PocketBase

#: The feature's lookup key, as rows of `entitlements` name it.
FEATURE = "publishing"


async def read_allowance(pocketbase: PocketBase, user: str, now: datetime) -> int | None:
    """Return how many posts a user may have published at a time; None for any number.

    Args:
        user: the id of the record in `users`.
    """
    page = await pocketbase.call(
        "GET",
        "/api/collections/entitlements/records",
        query={"filter": f'user = "{user}" && feature = "{FEATURE}"', "skipTotal": 1},
    )
    return add_up(page["items"], now)


def add_up(entitlements: Sequence[dict[str, Any]], now: datetime) -> int | None:
    """Return what rows of `entitlements` allow together; a row without a limit allows all."""
    limits = [int(row["limit"] or 0) for row in entitlements if _holds(row, now)]
    return sum(limits) if all(limits) else None


def _holds(entitlement: dict[str, Any], now: datetime) -> bool:
    end = entitlement["active_until"]
    return bool(entitlement["active"]) and (not end or datetime.fromisoformat(end) > now)


async def count_published(pocketbase: PocketBase, user: str) -> int:
    """Return how many posts of a user are published."""
    page = await pocketbase.call(
        "GET",
        "/api/collections/posts/records",
        query={"filter": f'author = "{user}" && published = true', "perPage": 1, "fields": "id"},
    )
    return int(page["totalItems"])
