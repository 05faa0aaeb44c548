"""Prices: what a product costs, once or for each period."""

from typing import Any

from stripe_simulator.errors import invalid
from stripe_simulator.parameters import metadata, optional, required, set_fields
from stripe_simulator.resources import products
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def create(world: World, params: JSON) -> JSON:
    """POST /v1/prices."""
    product = _product(world, params)
    recurring = _recurring(world, params.get("recurring"))
    unit_amount = _unit_amount(params)
    price: JSON = {
        "id": world.ids.timed("price", world.now),
        "object": "price",
        "active": optional(params, "active", True),
        "billing_scheme": optional(params, "billing_scheme", "per_unit"),
        "created": world.now,
        "currency": required(params, "currency").lower(),
        "custom_unit_amount": _custom_unit_amount(params),
        "livemode": False,
        "lookup_key": None,
        "metadata": metadata(params),
        "nickname": optional(params, "nickname"),
        "product": product["id"],
        "recurring": recurring,
        "tax_behavior": optional(params, "tax_behavior", "unspecified"),
        "tiers_mode": optional(params, "tiers_mode"),
        "transform_quantity": optional(params, "transform_quantity"),
        "type": "recurring" if recurring else "one_time",
        "unit_amount": unit_amount,
        "unit_amount_decimal": None if unit_amount is None else str(unit_amount),
    }
    if params.get("tiers"):
        world.facts("tiers")[price["id"]] = params["tiers"]
    world.add(price)
    _claim_lookup_key(world, price, params)
    world.record("price.created", price)
    return price


def update(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/prices/:id."""
    price = world.get("price", id)
    with world.change(price, "price.updated"):
        set_fields(price, params, "active", "nickname", "tax_behavior")
        price["metadata"] = metadata(params, price["metadata"])
        _claim_lookup_key(world, price, params)
    return price


def from_data(world: World, data: JSON) -> JSON:
    """Create the price that a `price_data` parameter describes."""
    params = {key: value for key, value in data.items() if key != "product_data"}
    if "product_data" in data:
        known = ("name", "description", "images", "metadata", "tax_code", "unit_label")
        product = {key: data["product_data"][key] for key in known if key in data["product_data"]}
        params["product"] = products.create(world, product)["id"]
    return create(world, params)


def resolve(world: World, params: JSON, param: str = "price") -> JSON:
    """Return the active price that `price` names or `price_data` describes."""
    if params.get("price_data"):
        return from_data(world, params["price_data"])
    price = world.get("price", required(params, "price"), param)
    if not price["active"]:
        raise invalid("The price specified is inactive. This field only accepts active prices.")
    return price


def amount(world: World, price: JSON, quantity: int) -> int:
    """Return what a quantity of a price costs, in the currency's smallest unit."""
    if price["billing_scheme"] == "tiered":
        return _tiered(world.facts("tiers").get(price["id"], []), price["tiers_mode"], quantity)
    if price["custom_unit_amount"]:
        return int(price["custom_unit_amount"]["preset"] or 0) * quantity
    return int(price["unit_amount"] or 0) * quantity


def _tiered(tiers: list[JSON], mode: str, quantity: int) -> int:
    total, below = 0, 0
    for tier in tiers:
        top = quantity if tier["up_to"] == "inf" else min(quantity, int(tier["up_to"]))
        last = top == quantity
        if mode == "graduated" or last:
            units = top - below if mode == "graduated" else quantity
            total += units * int(tier.get("unit_amount", 0)) + int(tier.get("flat_amount", 0))
        if last:
            break
        below = top
    return total


def _product(world: World, params: JSON) -> JSON:
    if params.get("product_data"):
        return products.create(world, params["product_data"])
    return world.get("product", required(params, "product"), "product")


def _unit_amount(params: JSON) -> int | None:
    if params.get("unit_amount_decimal") is not None:
        return int(float(params["unit_amount_decimal"]))
    unit_amount: int | None = optional(params, "unit_amount")
    if unit_amount is None and not (params.get("custom_unit_amount") or params.get("tiers")):
        raise invalid("Missing required param: unit_amount.", "unit_amount", "parameter_missing")
    return unit_amount


def _custom_unit_amount(params: JSON) -> JSON | None:
    given = params.get("custom_unit_amount")
    if not given:
        return None
    return {key: given.get(key) for key in ("maximum", "minimum", "preset")}


def _recurring(world: World, given: Any) -> JSON | None:
    if not given:
        return None
    return {
        "interval": required(given, "interval"),
        "interval_count": given.get("interval_count", 1),
        "meter": given.get("meter"),
        "usage_type": given.get("usage_type", "licensed"),
    }


def _claim_lookup_key(world: World, price: JSON, params: JSON) -> None:
    key = optional(params, "lookup_key")
    if key is None:
        return
    for other in world.all("price").values():
        if other["lookup_key"] == key and other is not price:
            if not params.get("transfer_lookup_key"):
                message = f"A price (`{other['id']}`) already uses that lookup key."
                raise invalid(message, "lookup_key", "resource_already_exists")
            with world.change(other, "price.updated"):
                other["lookup_key"] = None
    price["lookup_key"] = key
