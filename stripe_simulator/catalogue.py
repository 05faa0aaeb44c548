"""A demo catalogue, so that a first start has something to sell."""

from stripe_simulator.resources import prices, products
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def seed(world: World) -> None:
    """Add "Pro", "Writer", "Studio" and "Lifetime", unless there are products already.

    "Writer" has a trial and a limit, "Studio" a seat per member of an organization, and "Lifetime"
    is sold once per buyer.
    """
    if world.all("product"):
        return
    pro = _product(world, "Pro", features="pro")
    _price(world, pro, "pro_monthly", 1_000, {"interval": "month"})
    _price(world, pro, "pro_yearly", 10_000, {"interval": "year"})
    writer = _product(world, "Writer", limit_publishing="3")
    monthly = {"interval": "month"}
    terms = {"checkout_trial_days": "14", "checkout_group": "writing"}
    _price(world, writer, "writer_monthly", 500, monthly, **terms)
    studio = _product(world, "Studio", features="pro,publishing", seats="members")
    _price(world, studio, "studio_monthly", 800, monthly)
    lifetime = _product(world, "Lifetime", features="pro,lifetime")
    _price(world, lifetime, "lifetime", 25_000, None, checkout_once_per_buyer="true")


def _product(world: World, name: str, **metadata: str) -> JSON:
    return products.create(world, {"name": name, "metadata": metadata})


def _price(
    world: World, product: JSON, key: str, amount: int, recurring: JSON | None, **metadata: str
) -> None:
    params: JSON = {"currency": "usd", "lookup_key": key, "unit_amount": amount}
    params["metadata"] = metadata
    if recurring:
        params["recurring"] = recurring
    prices.create(world, params | {"product": product["id"]})
