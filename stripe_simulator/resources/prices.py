"""Prices: what a product costs, once or for each period."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from stripe_simulator.errors import invalid
from stripe_simulator.parameters import metadata, optional, required, set_fields
from stripe_simulator.resources import products
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

#: Decimal places of an amount.
MAX_PLACES = 12


def create(world: World, params: JSON) -> JSON:
    """POST /v1/prices."""
    product = _product(world, params)
    recurring = _recurring(world, params.get("recurring"))
    unit_amount = _unit_amount(params)
    _check_scheme(params)
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
        **_amounts(unit_amount),
    }
    if params.get("tiers"):
        world.facts("tiers")[price["id"]] = [_tier(tier) for tier in params["tiers"]]
    _set_currency_options(world, price, params)
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
        _set_currency_options(world, price, params)
    return price


def currency_options(world: World, price: JSON) -> JSON:
    """The amounts in each currency, the price's own included."""
    own: JSON = {
        name: price[name]
        for name in ("custom_unit_amount", "tax_behavior", "unit_amount", "unit_amount_decimal")
    }
    if price["billing_scheme"] == "tiered":
        own["tiers"] = world.facts("tiers").get(price["id"], [])
    others: JSON = world.facts("currency_options").get(price["id"], {})
    return {price["currency"]: own} | others


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
        message = "The price specified is inactive. This field only accepts active prices."
        raise invalid(message, param)
    product = world.find("product", price["product"])
    if product is not None and not product["active"]:
        message = f"The product {product['id']} is not active, so no new purchases can be made."
        raise invalid(message, param)
    return price


def amount(world: World, price: JSON, quantity: int | Decimal) -> int:
    """Return what a quantity of a price costs, in the currency's smallest unit, rounded once."""
    quantity = _transformed(price["transform_quantity"], Decimal(quantity))
    if price["billing_scheme"] == "tiered":
        tiers = world.facts("tiers").get(price["id"], [])
        return _rounded(_tiered(tiers, price["tiers_mode"], quantity))
    if price["custom_unit_amount"]:
        return _rounded(int(price["custom_unit_amount"]["preset"] or 0) * quantity)
    return _rounded(Decimal(price["unit_amount_decimal"] or 0) * quantity)


def _rounded(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


def _transformed(transform: JSON | None, quantity: Decimal) -> Decimal:
    """Packages: 3 of 10 for 25, rounded up."""
    if not transform:
        return quantity
    packages, rest = divmod(quantity, int(transform["divide_by"]))
    return packages + 1 if rest and transform["round"] == "up" else packages


def _tiered(tiers: list[JSON], mode: str, quantity: Decimal) -> Decimal:
    total, below = Decimal(0), Decimal(0)
    for tier in tiers:
        top = quantity if tier["up_to"] is None else min(quantity, Decimal(tier["up_to"]))
        last = top == quantity
        if mode == "graduated" or last:
            units = top - below if mode == "graduated" else quantity
            each = Decimal(tier["unit_amount_decimal"] or 0)
            total += units * each + Decimal(tier["flat_amount_decimal"] or 0)
        if last:
            break
        below = top
    return total


def _tier(given: JSON) -> JSON:
    """A tier as Stripe shows it: no `up_to` in the last one, each amount also as a decimal."""
    unit, flat = _decimal(given, "unit_amount"), _decimal(given, "flat_amount")
    return {
        **{f"flat_{name}": value for name, value in _amounts(flat, "amount").items()},
        **_amounts(unit),
        "up_to": None if given["up_to"] == "inf" else int(given["up_to"]),
    }


def _product(world: World, params: JSON) -> JSON:
    if params.get("product_data"):
        return products.create(world, params["product_data"])
    return world.get("product", required(params, "product"), "product")


def _unit_amount(params: JSON) -> Decimal | None:
    found = _decimal(params, "unit_amount")
    if found is None and not (params.get("custom_unit_amount") or params.get("tiers")):
        raise invalid("Missing required param: unit_amount.", "unit_amount", "parameter_missing")
    return found


def _decimal(params: JSON, name: str) -> Decimal | None:
    """A whole amount, or one with up to 12 decimal places."""
    whole, exact = params.get(name), params.get(f"{name}_decimal")
    given = whole if exact in (None, "") else exact
    if given in (None, ""):
        return None
    try:
        found = Decimal(str(given))
    except InvalidOperation:
        raise invalid(f"Invalid decimal: {given}", f"{name}_decimal") from None
    if not found.is_finite() or -int(found.normalize().as_tuple().exponent) > MAX_PLACES:
        raise invalid(f"Invalid decimal: {given}", f"{name}_decimal")
    return found


def _amounts(value: Decimal | None, name: str = "unit_amount") -> JSON:
    """`unit_amount` is null where there is a part of the smallest unit."""
    if value is None:
        return {name: None, f"{name}_decimal": None}
    whole = int(value) if value == int(value) else None
    return {name: whole, f"{name}_decimal": f"{value.normalize():f}"}


def _check_scheme(params: JSON) -> None:
    if params.get("tiers") and not params.get("tiers_mode"):
        raise invalid("Missing required param: tiers_mode.", "tiers_mode", "parameter_missing")
    if (params.get("billing_scheme") == "tiered") != bool(params.get("tiers")):
        raise invalid("`tiers` must be used with `billing_scheme=tiered`.", "tiers")
    if params.get("tiers") and params.get("transform_quantity"):
        raise invalid("`transform_quantity` can't be used with `tiers`.", "transform_quantity")


def _set_currency_options(world: World, price: JSON, params: JSON) -> None:
    given: JSON = params.get("currency_options") or {}
    kept = world.facts("currency_options").setdefault(price["id"], {})
    for currency, option in given.items():
        tiers = {"tiers": [_tier(tier) for tier in option["tiers"]]} if "tiers" in option else {}
        kept[currency] = {
            "custom_unit_amount": _custom_unit_amount(option),
            "tax_behavior": option.get("tax_behavior", "unspecified"),
            **_amounts(_decimal(option, "unit_amount")),
            **tiers,
        }


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
