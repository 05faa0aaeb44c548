"""Scenarios of a customer, product or price: what a seller does in the dashboard."""

from stripe_simulator.scenarios.scenario import Fields, call, scenario
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


@scenario("customer", "Delete")
def delete_customer(world: World, customer: JSON, fields: Fields) -> None:
    """The customer's subscriptions end at once."""
    call(world, "DELETE", f"/v1/customers/{customer['id']}")


@scenario("product", "Archive", lambda product: product["active"])
def archive_product(world: World, product: JSON, fields: Fields) -> None:
    """The product is not for sale any more."""
    call(world, "POST", f"/v1/products/{product['id']}", {"active": False})


@scenario("product", "Sell again", lambda product: not product["active"])
def restore_product(world: World, product: JSON, fields: Fields) -> None:
    """The product is for sale."""
    call(world, "POST", f"/v1/products/{product['id']}", {"active": True})


@scenario("price", "Archive", lambda price: price["active"])
def archive_price(world: World, price: JSON, fields: Fields) -> None:
    """The price is not for sale any more."""
    call(world, "POST", f"/v1/prices/{price['id']}", {"active": False})


@scenario("price", "Sell again", lambda price: not price["active"])
def restore_price(world: World, price: JSON, fields: Fields) -> None:
    """The price is for sale."""
    call(world, "POST", f"/v1/prices/{price['id']}", {"active": True})
