"""A demo catalogue, so that a first start has something to sell."""

from stripe_simulator.resources import prices, products
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def seed(world: World) -> None:
    """Add "Pro" by the month or year and "Lifetime", unless there are products already.

    "Lifetime" is sold once per buyer.
    """
    if world.all("product"):
        return
    pro = _product(world, "Pro", "pro")
    _price(world, pro, "pro_monthly", 1_000, {"interval": "month"})
    _price(world, pro, "pro_yearly", 10_000, {"interval": "year"})
    lifetime = _product(world, "Lifetime", "pro,lifetime")
    _price(world, lifetime, "lifetime", 25_000, None, checkout_once_per_buyer="true")


def _product(world: World, name: str, features: str) -> JSON:
    return products.create(world, {"name": name, "metadata": {"features": features}})


def _price(
    world: World, product: JSON, key: str, amount: int, recurring: JSON | None, **metadata: str
) -> None:
    params: JSON = {"currency": "usd", "lookup_key": key, "unit_amount": amount}
    params["metadata"] = metadata
    if recurring:
        params["recurring"] = recurring
    prices.create(world, params | {"product": product["id"]})
