"""Lists: newest first, filtered, in pages by cursor."""

from collections.abc import Callable, Sequence
from typing import Any

from stripe_simulator.copies import Copies, NewestFirst
from stripe_simulator.errors import invalid, missing_object
from stripe_simulator.parameters import listing
from stripe_simulator.resources.invoices import subscription_id
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

Filter = Callable[[JSON, Any], bool]

RANGES: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}


def newest_first(world: World, kind: str) -> Sequence[JSON]:
    """The objects of a kind as Stripe lists them."""
    objects = world.all(kind)
    if isinstance(objects, Copies):
        return objects.newest_first()
    return list(objects.values())[::-1]


def page(items: Sequence[JSON], params: JSON, url: str) -> JSON:
    """Cut one page out of items, newest first."""
    limit = params.get("limit", 10)
    if not isinstance(limit, int) or not 1 <= limit <= 100:
        raise invalid("Limit must be between 1 and 100.", "limit", "parameter_invalid_integer")
    if params.get("ending_before"):
        end = _position(items, params["ending_before"], "ending_before")
        start = max(0, end - limit)
        return listing(list(items[start:end]), url, has_more=start > 0)
    start = 0
    if params.get("starting_after"):
        start = _position(items, params["starting_after"], "starting_after") + 1
    return listing(list(items[start : start + limit]), url, has_more=start + limit < len(items))


def _position(items: Sequence[JSON], id: str, param: str) -> int:
    found = (position for position, item in enumerate(items) if item["id"] == id)
    position = items.index_of(id) if isinstance(items, NewestFirst) else next(found, None)
    if position is None or position >= len(items):
        raise missing_object("object", id, param, 400)
    return position


def select(items: Sequence[JSON], params: JSON, filters: tuple[str, ...]) -> Sequence[JSON]:
    """Keep the items that pass every filter that was sent."""
    for name in filters:
        wanted = params.get(name)
        if wanted in (None, "") or (name, wanted) == ("status", "all"):
            continue
        if name == "created" and isinstance(items, NewestFirst) and not {*wanted} - {"gt", "gte"}:
            items = items.since(_is_older(wanted))
            continue
        passes = SPECIAL.get(name) or _same(name)
        items = [item for item in items if passes(item, wanted)]
    return items


def _is_older(wanted: JSON) -> Callable[[JSON], bool]:
    return lambda item: not created(item, wanted)


def many(world: World, kind: str, params: JSON, filters: tuple[str, ...], url: str) -> JSON:
    """One page of the objects of a kind."""
    return page(select(newest_first(world, kind), params, filters), params, url)


def created(item: JSON, wanted: Any) -> bool:
    """Whether an object's time passes `created` or `created[gte]` and the like."""
    at = item["date"] if item["object"] == "invoiceitem" else item["created"]
    if not isinstance(wanted, dict):
        return bool(at == int(wanted))
    return all(RANGES[name](at, int(bound)) for name, bound in wanted.items())


def _same(name: str) -> Filter:
    return lambda item, wanted: item.get(name) == wanted


def _type(item: JSON, wanted: str) -> bool:
    if wanted.endswith("*"):
        return bool(item["type"].startswith(wanted[:-1]))
    return bool(item["type"] == wanted)


def _price(item: JSON, wanted: str) -> bool:
    return any(entry["price"]["id"] == wanted for entry in item["items"]["data"])


def _subscription(item: JSON, wanted: str) -> bool:
    if item["object"] == "invoice":
        return subscription_id(item) == wanted
    return bool(item["subscription"] == wanted)


def _status(item: JSON, wanted: str) -> bool:
    if wanted == "all":
        return True
    if wanted == "ended":
        return item["status"] in ("canceled", "incomplete_expired")
    return bool(item["status"] == wanted)


SPECIAL: dict[str, Filter] = {
    "created": created,
    "type": _type,
    "types": lambda item, wanted: any(_type(item, one) for one in wanted),
    "lookup_keys": lambda item, wanted: item["lookup_key"] in wanted,
    "ids": lambda item, wanted: item["id"] in wanted,
    "price": _price,
    "subscription": _subscription,
    "status": _status,
    "delivery_success": lambda item, wanted: (item["pending_webhooks"] == 0) == wanted,
    "code": lambda item, wanted: bool(item["code"].lower() == wanted.lower()),
    "coupon": lambda item, wanted: item["promotion"]["coupon"] == wanted,
}
