"""The products of a new account: a demo, or those of a TOML file.

    [[products]]
    name = "Pro"
    metadata = { features = "pro" }

    [[products.prices]]
    lookup_key = "pro_monthly"
    unit_amount = 1000
    currency = "usd"
    recurring = { interval = "month" }

Members are the parameters of Stripe's API.
"""

import tomllib
from collections.abc import Sequence
from pathlib import Path

from stripe_simulator.errors import StripeError
from stripe_simulator.resources import prices, products
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


class InvalidCatalogue(Exception):
    """The catalogue can't be read; the text is the sentence to show."""


def _demo_price(key: str, amount: int, **params: JSON) -> JSON:
    return {
        "currency": "usd",
        "lookup_key": key,
        "unit_amount": amount,
        "metadata": {},
        **params,
    }


#: "Lifetime" is sold once per buyer.
DEMO: tuple[JSON, ...] = (
    {
        "name": "Pro",
        "metadata": {"features": "pro"},
        "prices": [
            _demo_price("pro_monthly", 1_000, recurring={"interval": "month"}),
            _demo_price("pro_yearly", 10_000, recurring={"interval": "year"}),
        ],
    },
    {
        "name": "Lifetime",
        "metadata": {"features": "pro,lifetime"},
        "prices": [_demo_price("lifetime", 25_000, metadata={"checkout_once_per_buyer": "true"})],
    },
)


def read_catalogue(file: Path) -> tuple[JSON, ...]:
    """Return the products of a file, each with its `prices`.

    Raises:
        InvalidCatalogue: the file is missing, not TOML, or Stripe would refuse an object.
    """
    try:
        found = tuple(tomllib.loads(file.read_text(encoding="utf-8"))["products"])
        if not found:
            raise ValueError("no products")
        seed(World(seed=0, now=1), found)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, StripeError) as error:
        raise InvalidCatalogue(f"{file}: {error}") from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InvalidCatalogue(
            f"{file} must have [[products]] with [[products.prices]] ({error!r})."
        ) from error
    return found


def seed(world: World, catalogue: Sequence[JSON] = DEMO) -> None:
    """Create the products and their prices, unless there are products already."""
    if world.all("product"):
        return
    for entry in catalogue:
        params = {name: value for name, value in entry.items() if name != "prices"}
        product = products.create(world, params)
        for price in entry.get("prices", []):
            prices.create(world, price | {"product": product["id"]})
