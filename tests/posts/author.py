"""Rows of `entitlements` that make a user an author, as the gateway writes them."""

from secrets import token_hex

import httpx

from tests.frontend import User

_FOR_EVER = "9999-12-31 00:00:00.000Z"


def entitle(
    pocketbase_url: str, root: str, user: User, *, limit: int = 0, until: str = _FOR_EVER
) -> None:
    """Give a user the feature that the example asks for.

    Args:
        root: a superuser's token.
        limit: published posts at a time; 0 for any number.
        until: when it ends, by PocketBase's form.
    """
    row = {
        "stripe_id": f"ent_{token_hex(6)}",
        "user": user.id,
        "feature": "publishing",
        "active": True,
        "active_until": until,
        "limit": limit,
    }
    httpx.post(
        f"{pocketbase_url}/api/collections/entitlements/records",
        json=row,
        headers={"Authorization": root},
        trust_env=False,
    ).raise_for_status()
