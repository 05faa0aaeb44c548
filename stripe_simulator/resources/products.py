"""Products: what is sold."""

from stripe_simulator.errors import invalid
from stripe_simulator.parameters import metadata, optional, required, set_fields
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

FIELDS = (
    "description",
    "images",
    "marketing_features",
    "package_dimensions",
    "shippable",
    "statement_descriptor",
    "tax_code",
    "unit_label",
    "url",
)


def create(world: World, params: JSON) -> JSON:
    """POST /v1/products; `default_price_data` creates the price as well."""
    now = world.now
    product: JSON = {
        "id": optional(params, "id") or world.ids.plain("prod"),
        "object": "product",
        "active": optional(params, "active", True),
        "created": now,
        "default_price": None,
        "livemode": False,
        "metadata": metadata(params),
        "name": required(params, "name"),
        "updated": now,
    }
    product |= dict.fromkeys(FIELDS) | {"images": [], "marketing_features": []}
    if product["id"] in world.all("product"):
        raise invalid("Product already exists.", "id", "resource_already_exists")
    set_fields(product, params, *FIELDS)
    world.add(product)
    world.record("product.created", product)
    return product


def update(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/products/:id."""
    product = world.get("product", id)
    if params.get("default_price"):
        world.get("price", params["default_price"], "default_price")
    with world.change(product, "product.updated"):
        set_fields(product, params, "active", "name", "default_price", *FIELDS)
        product["metadata"] = metadata(params, product["metadata"])
        product["updated"] = world.now
    return product


def delete(world: World, id: str, params: JSON) -> JSON:
    """DELETE /v1/products/:id; refused while the product has prices."""
    product = world.get("product", id)
    if any(price["product"] == id for price in world.all("price").values()):
        raise invalid(
            "This product cannot be deleted because it has one or more user-created prices.", "id"
        )
    world.record("product.deleted", product)
    return world.remove(product)
