"""Items of a subscription: which prices it bills, and for which period."""

from typing import Any

from stripe_simulator.errors import invalid
from stripe_simulator.parameters import listing, metadata
from stripe_simulator.periods import period_end
from stripe_simulator.resources import prices, subscription_rules
from stripe_simulator.resources.redemptions import Purchase
from stripe_simulator.snapshots import JSON, snapshot
from stripe_simulator.world import World


def build(world: World, sub: str, params: JSON, start: int, end: int | None, anchor: int) -> JSON:
    """A new item with a period from `start`; `end` overrides the price's period."""
    price = prices.resolve(world, params)
    subscription_rules.check_recurring(price)
    item: JSON = {
        "id": world.ids.plain("si"),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": world.now,
        "current_period_end": end or period_end(price, start, anchor),
        "current_period_start": start,
        "discounts": [],
        "metadata": metadata(params),
        "price": snapshot(price),
        "subscription": sub,
        "tax_rates": [],
    }
    refuse_quantity(price, params)
    if price["recurring"]["usage_type"] == "licensed":
        item["quantity"] = int(params.get("quantity") or 1)
    return item


def is_metered(price: JSON) -> bool:
    """Whether it is billed by usage."""
    return bool((price["recurring"] or {}).get("usage_type") == "metered")


def refuse_quantity(price: JSON, params: JSON, param: str = "items[0]") -> None:
    """A metered price has no quantity."""
    if is_metered(price) and params.get("quantity") is not None:
        raise invalid(
            "Quantity should not be specified where usage_type is `metered`. Remove `quantity` "
            f"from `{param}`.",
            f"{param}[quantity]",
        )


def changed(world: World, sub: JSON, given: list[JSON]) -> list[JSON]:
    """Return copies of the items as they would be after an update's `items`."""
    items: list[JSON] = snapshot({"items": sub["items"]["data"]})["items"]
    for params in given:
        if params.get("id"):
            items = _change_one(world, sub, items, params)
        else:
            start, anchor = world.now, sub["billing_cycle_anchor"]
            end = items[0]["current_period_end"] if items else None
            items.append(build(world, sub["id"], params, start, end, anchor))
    if not items:
        raise invalid("A subscription must have at least one active item.", "items")
    subscription_rules.check_items(items, sub["currency"])
    return items


def interval(item: JSON) -> tuple[str, int]:
    """How often an item bills."""
    recurring = item["price"]["recurring"]
    return recurring["interval"], recurring["interval_count"]


def restart(items: list[JSON], now: int) -> None:
    """Begin every item's period now."""
    for item in items:
        item["current_period_start"] = now
        item["current_period_end"] = period_end(item["price"], now)


def purchase(world: World, customer: str, items: list[JSON]) -> Purchase:
    """The products and amounts that a discount of a subscription applies to."""
    return Purchase(
        customer,
        items[0]["price"]["currency"],
        frozenset(item["price"]["product"] for item in items),
        sum(prices.amount(world, item["price"], item.get("quantity") or 0) for item in items),
    )


def as_list(sub: str, items: list[JSON]) -> JSON:
    """The list that a subscription carries."""
    return listing(items, f"/v1/subscription_items?subscription={sub}")


def _change_one(world: World, sub: JSON, items: list[JSON], params: JSON) -> list[JSON]:
    found: Any = next((item for item in items if item["id"] == params["id"]), None)
    if found is None:
        raise invalid(f"No such subscription item: '{params['id']}'", "items[0][id]")
    if params.get("deleted"):
        return [item for item in items if item is not found]
    if params.get("price") or params.get("price_data"):
        found["price"] = snapshot(prices.resolve(world, params))
        subscription_rules.check_recurring(found["price"])
    refuse_quantity(found["price"], params)
    if int(params.get("quantity") or 0) < 0:
        raise invalid("Quantity must not be negative.", "items[0][quantity]")
    if params.get("quantity") is not None:
        found["quantity"] = params["quantity"]
    if is_metered(found["price"]):
        found.pop("quantity", None)
    else:
        found.setdefault("quantity", 1)
    found["metadata"] = metadata(params, found["metadata"])
    return items
