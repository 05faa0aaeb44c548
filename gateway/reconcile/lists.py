"""Pages through Stripe's lists, newest first; two pages per list are in memory."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from gateway.dates import as_unix, unix_to_column
from gateway.ids import record_id
from gateway.mirror.nested_lists import complete
from gateway.mirror.registry import SUMMARY
from gateway.reconcile.comparison import Found
from gateway.reconcile.listed_objects import ListedObject
from gateway.reconcile.rate_limit import RateLimitedStripe
from gateway.rows import Json
from gateway.stripe_api import Missing, Snapshot
from gateway.stripe_api.fields import created_at

_PAGE_OBJECTS = 100
_CUSTOMERS = "/v1/customers"
_FEATURES = "/v1/entitlements/features"
#: Of one customer's things, more than Stripe lets a customer have.
_MAX_PAGES = 100


@dataclass(frozen=True, slots=True)
class Cursor:
    """The position of the next page of a list."""

    #: The id of the object that it follows, "" at the top.
    after: str = ""
    #: When that object was created, by Stripe's clock.
    created: int = 0
    #: The objects of the page before that were created in that same second.
    edge: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListPage:
    """Objects of one kind, and which rows should be among them."""

    found: Sequence[Found]
    #: The rows that this page would show if Stripe had their objects, as a PocketBase filter.
    rows: str
    #: Stripe ids of the objects that such rows are of, also some of the page before.
    expected: tuple[str, ...]
    #: None after the last page.
    next: Cursor | None


async def read_pages(
    stripe: RateLimitedStripe, kind: ListedObject, cursor: Cursor, since: int | None
) -> AsyncGenerator[ListPage]:
    """Yield the pages of a list from a cursor; each is read while the one before is in use.

    Raises what `read_page` raises.
    """
    following: Cursor | None = cursor
    reading = asyncio.create_task(read_page(stripe, kind, cursor, since))
    try:
        while following is not None:
            page = await reading
            following = page.next
            if following is not None:
                reading = asyncio.create_task(read_page(stripe, kind, following, since))
            yield page
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def read_page(
    stripe: RateLimitedStripe, kind: ListedObject, cursor: Cursor, since: int | None
) -> ListPage:
    """Read the page of a list that begins at a cursor.

    Args:
        since: unix seconds; objects created before are left out.

    Raises:
        Missing, StripeRefused: there is no such list, or not for this key.
        StripeUnavailable: see `RateLimitedStripe.read`.
    """
    if kind.is_of_customer:
        if kind.object == SUMMARY and not cursor.after and not await _has_features(stripe):
            return ListPage((), "", (), None)
        return await _read_page_of_customers(stripe, kind, cursor, since)
    begin = since if kind.by_time else None
    snapshot = await stripe.read(_address(kind.path, kind.params, cursor.after, begin))
    items: list[Json] = snapshot.body["data"]
    following = _next_cursor(snapshot, items)
    return ListPage(
        found=[each for each in [await _find(stripe, item, snapshot) for item in items] if each],
        rows=_window(kind, cursor, following, since) if all(map(created_at, items)) else "",
        expected=(*cursor.edge, *_before_edge(items, following)),
        next=following,
    )


async def _find(stripe: RateLimitedStripe, item: Json, page: Snapshot) -> Found | None:
    """Return an object of a page with all entries of its nested lists, None if it is gone since."""
    try:
        whole = await complete(stripe.read, Snapshot(item, page.as_of, page.until))
    except Missing:
        return None
    return Found(whole.body, whole.as_of, whole.until)


def _address(path: str, params: dict[str, str], after: str, since: int | None) -> str:
    query = {"limit": str(_PAGE_OBJECTS), **params}
    if after:
        query["starting_after"] = after
    if since is not None:
        query["created[gte]"] = str(since)
    return f"{path}{'&' if '?' in path else '?'}{urlencode(query)}"


def _next_cursor(snapshot: Snapshot, items: Sequence[Json]) -> Cursor | None:
    if not snapshot.body.get("has_more") or not items:
        return None
    last = items[-1]
    created = as_unix(created_at(last))
    edge = tuple(item["id"] for item in items if as_unix(created_at(item)) == created)
    return Cursor(last["id"], created, edge)


def _before_edge(items: Sequence[Json], following: Cursor | None) -> list[str]:
    """The objects whose rows are in the window of this page; the others are in the next one's."""
    edge = set(following.edge) if following else ()
    return [item["id"] for item in items if item["id"] not in edge]


def _window(kind: ListedObject, cursor: Cursor, following: Cursor | None, since: int | None) -> str:
    """The rows created between the object before the page and its last one."""
    conditions = [
        kind.rows,
        f"created <= '{unix_to_column(cursor.created)}'" if cursor.after else "",
    ]
    if following:
        conditions.append(f"created > '{unix_to_column(following.created)}'")
    elif since is not None:
        conditions.append(f"created >= '{unix_to_column(since)}'")
    return " && ".join(condition for condition in conditions if condition) or "id != ''"


async def _read_page_of_customers(
    stripe: RateLimitedStripe, kind: ListedObject, cursor: Cursor, since: int | None
) -> ListPage:
    """Return the objects of this type that a page of customers has."""
    field = kind.customer_field
    params = {"expand[]": f"data.{field}"} if field else {}
    snapshot = await stripe.read(_address(_CUSTOMERS, params, cursor.after, since))
    customers: list[Json] = snapshot.body["data"]
    lists = await asyncio.gather(
        *(
            _read_shown(stripe, kind, snapshot, each)
            if field
            else _read_of(stripe, kind, each["id"])
            for each in customers
        )
    )
    # A customer that is deleted meanwhile has no list, and its rows prove nothing.
    present = [
        each["id"] for each, found in zip(customers, lists, strict=True) if found is not None
    ]
    rows = " || ".join(f"customer = '{record_id(customer)}'" for customer in present)
    return ListPage(
        found=[each for found in lists if found for each in found],
        rows="" if kind.object == SUMMARY else rows,
        expected=tuple(each.stripe_id for found in lists if found for each in found),
        next=_next_cursor(snapshot, customers),
    )


async def _has_features(stripe: RateLimitedStripe) -> bool:
    """Whether the account uses Stripe Entitlements; otherwise no customer has any."""
    for archived in ("false", "true"):
        snapshot = await stripe.read(_address(_FEATURES, {"archived": archived}, "", None))
        if snapshot.body["data"]:
            return True
    return False


async def _read_shown(
    stripe: RateLimitedStripe, kind: ListedObject, page: Snapshot, customer: Json
) -> list[Found] | None:
    """Return the objects that an expanded customer shows; reads those beyond the first ten."""
    shown = customer.get(kind.customer_field)
    if not isinstance(shown, dict) or shown.get("has_more"):
        return await _read_of(stripe, kind, customer["id"])
    return [Found(item, page.as_of, page.until) for item in shown["data"]]


async def _read_of(
    stripe: RateLimitedStripe, kind: ListedObject, customer: str
) -> list[Found] | None:
    """Return all objects of this type that a customer has, None if the customer is deleted."""
    path = kind.path.format(customer=quote(customer, safe=""))
    found: list[Found] = []
    after = ""
    for _ in range(_MAX_PAGES):
        try:
            snapshot = await stripe.read(_address(path, kind.params, after, None))
        except Missing:
            return None
        items: list[Json] = snapshot.body["data"]
        found += [Found(item, snapshot.as_of, snapshot.until) for item in items]
        if not snapshot.body.get("has_more") or not items:
            break
        after = items[-1]["id"]
    if kind.object != SUMMARY:
        return found
    entitlements = {"data": [each.item for each in found]}
    summary = {"object": SUMMARY, "customer": customer, "entitlements": entitlements}
    as_of = min((each.as_of for each in found), default=snapshot.as_of)
    return [Found(summary, as_of, snapshot.until)]
