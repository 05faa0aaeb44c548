"""Reads rows of the mirror from PocketBase, with their versions."""

from collections.abc import AsyncIterator, Sequence

from gateway.ids import record_id
from gateway.pocketbase import PocketBase
from gateway.reconcile.rate_limit import with_retries
from gateway.rows import Json

_PAGE_ROWS = 200
_IDENTITY = ("id", "stripe_id", "version", "deleted")


async def read_rows(
    pocketbase: PocketBase, collection: str, stripe_ids: Sequence[str]
) -> dict[str, Json]:
    """Return the rows of up to 100 objects, by Stripe id."""
    if not stripe_ids:
        return {}
    wanted = " || ".join(f"id = '{record_id(each)}'" for each in stripe_ids)
    rows = await _find(pocketbase, collection, wanted, len(stripe_ids))
    return {row["stripe_id"]: row for row in rows}


async def count_rows(pocketbase: PocketBase, collection: str, wanted: str = "") -> int:
    """Return the number of rows that a PocketBase filter finds, all without one."""
    path = pocketbase.records_path(collection)
    query: dict[str, str | int] = {"perPage": 1, "fields": "id"}
    if wanted:
        query["filter"] = wanted
    answer = await with_retries(lambda: pocketbase.call("GET", path, query=query))
    return int(answer["totalItems"])


async def walk_rows(
    pocketbase: PocketBase, collection: str, wanted: str
) -> AsyncIterator[list[Json]]:
    """Yield all rows that a PocketBase filter finds, in pages that fit into memory.

    Only what tells the rows apart: their Stripe objects are large.
    """
    last = ""
    while rows := await _find(
        pocketbase, collection, f"id > '{last}' && ({wanted})", _PAGE_ROWS, _IDENTITY
    ):
        yield rows
        last = rows[-1]["id"]


async def _find(
    pocketbase: PocketBase,
    collection: str,
    wanted: str,
    limit: int,
    fields: tuple[str, ...] = (),
) -> list[Json]:
    path = pocketbase.records_path(collection)
    query: dict[str, str | int] = {
        "filter": wanted,
        "perPage": limit,
        "skipTotal": 1,
        "sort": "id",
        "fields": ",".join(fields),
    }
    answer = await with_retries(lambda: pocketbase.call("GET", path, query=query))
    rows: list[Json] = answer["items"]
    return rows
