"""Nested lists in full. Events and answers show the first ten entries of one, and ``has_more``."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from urllib.parse import quote

from gateway.mirror.registry import entry_of
from gateway.rows import Json
from gateway.stripe_api.fields import as_dict, as_list, as_text, stripe_id
from gateway.stripe_api.snapshot import Missing, Snapshot

#: GETs one path.
Read = Callable[[str], Awaitable[Snapshot]]

#: Entries of one page, and the pages of one list: far more than Stripe allows.
_PAGE_OBJECTS = 100
_MAX_PAGES = 50


def is_truncated(item: Json) -> bool:
    """Whether a nested list of an object lacks entries, or a tiered price its tiers."""
    if item.get("object") == "price":
        return item.get("billing_scheme") == "tiered" and "tiers" not in item
    return any(_has_more(item, name) for name in _paths(item))


async def complete(read: Read, snapshot: Snapshot) -> Snapshot:
    """Return the object with all entries of its nested lists; rarely needs a request.

    A list that Stripe answers with 404 stays incomplete: the object itself exists.

    Raises:
        Any exception of ``read``.
    """
    for name, path in _paths(snapshot.body).items():
        if _has_more(snapshot.body, name):
            path = path.format(id=quote(_id(snapshot.body), safe=""))
            try:
                found = await read_rest(read, path, replace(snapshot, body=snapshot.body[name]))
            except Missing:
                continue
            snapshot = replace(found, body={**snapshot.body, name: found.body})
    return snapshot


async def read_rest(read: Read, path: str, page: Snapshot) -> Snapshot:
    """Return a list with the pages that follow it, as it was over the time that this took."""
    found, has_more, until = as_list(page.body), True, page.until
    for _ in range(_MAX_PAGES):
        has_more = page.body.get("has_more") is True and bool(found)
        if not has_more:
            break
        after = quote(stripe_id(found[-1]), safe="")
        separator = "&" if "?" in path else "?"
        more = await read(f"{path}{separator}limit={_PAGE_OBJECTS}&starting_after={after}")
        found, until = found + as_list(more.body), more.until
        page = replace(page, body={**more.body, "data": found})
    return replace(page, body={**page.body, "has_more": has_more, "data": found}, until=until)


def _paths(item: Json) -> dict[str, str]:
    return entry_of(as_text(item.get("object"))).nested_lists


def _has_more(item: Json, name: str) -> bool:
    return as_dict(item.get(name)).get("has_more") is True


def _id(item: Json) -> str:
    """A summary has no id but its customer's."""
    return stripe_id(item) or stripe_id(item.get("customer"))
