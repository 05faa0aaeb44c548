"""Billing portal configurations: what a customer may do there."""

from stripe_simulator.errors import invalid
from stripe_simulator.parameters import metadata, set_fields
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

REASONS = ["too_expensive", "missing_features", "switched_service", "unused", "other"]
#: Products whose prices subscribers can choose.
MAX_PRODUCTS = 10


def create(world: World, params: JSON) -> JSON:
    """POST /v1/billing_portal/configurations."""
    configuration = _configuration(world)
    # Features that are not requested are off, unlike in the account's default.
    for feature in configuration["features"].values():
        feature["enabled"] = False
    set_fields(configuration, params, "default_return_url", "name")
    _merge(world, configuration, params)
    world.add(configuration)
    world.record("billing_portal.configuration.created", configuration)
    return configuration


def update(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/billing_portal/configurations/:id."""
    configuration = world.get("billing_portal.configuration", id)
    with world.change(configuration, "billing_portal.configuration.updated"):
        set_fields(configuration, params, "active", "default_return_url", "name")
        _merge(world, configuration, params)
        configuration["updated"] = world.now
    return configuration


def default(world: World) -> JSON:
    """The account's default configuration; made when first needed."""
    for configuration in world.all("billing_portal.configuration").values():
        if configuration["is_default"]:
            return configuration
    return world.add(_configuration(world) | {"is_default": True})


def features(world: World, configuration: JSON) -> JSON:
    """The features with the products, which Stripe shows only when they are expanded."""
    shown: JSON = dict(configuration["features"])
    products = world.facts("portal_products").get(configuration["id"], [])
    shown["subscription_update"] = shown["subscription_update"] | {"products": products}
    return shown


def _keep_products(world: World, configuration: JSON, products: list[JSON] | str) -> None:
    found: list[JSON] = products if isinstance(products, list) else []
    if len(found) > MAX_PRODUCTS:
        name = "features[subscription_update][products]"
        raise invalid(f"You can add at most {MAX_PRODUCTS} products.", name)
    world.facts("portal_products")[configuration["id"]] = [
        _product(world, entry, f"features[subscription_update][products][{place}]")
        for place, entry in enumerate(found)
    ]


def _product(world: World, entry: JSON, name: str) -> JSON:
    product = world.get("product", entry["product"], f"{name}[product]")
    for place, id in enumerate(entry["prices"]):
        price = world.get("price", id, f"{name}[prices][{place}]")
        if price["product"] != product["id"] or not price["recurring"]:
            message = f"The price {id} must be a recurring price of {product['id']}."
            raise invalid(message, f"{name}[prices][{place}]")
    quantity = {"enabled": False, "maximum": None, "minimum": 1}
    quantity |= entry.get("adjustable_quantity") or {}
    return {
        "adjustable_quantity": quantity,
        "prices": entry["prices"],
        "product": product["id"],
    }


def _merge(world: World, configuration: JSON, params: JSON) -> None:
    configuration["metadata"] = metadata(params, configuration["metadata"])
    configuration["business_profile"] |= params.get("business_profile") or {}
    for name, feature in (params.get("features") or {}).items():
        known = configuration["features"][name]
        given = dict(feature)
        if "products" in given:
            _keep_products(world, configuration, given.pop("products"))
        known |= {key: value for key, value in given.items() if value != ""}
    login = params.get("login_page")
    if login is not None:
        configuration["login_page"]["enabled"] = bool(login.get("enabled"))


def _configuration(world: World) -> JSON:
    profile = ("headline", "privacy_policy_url", "terms_of_service_url")
    return {
        "id": world.ids.timed("bpc", world.now),
        "object": "billing_portal.configuration",
        "active": True,
        "application": None,
        "business_profile": dict.fromkeys(profile),
        "created": world.now,
        "default_return_url": None,
        "features": _features(),
        "is_default": False,
        "livemode": False,
        "login_page": {"enabled": False, "url": None},
        "metadata": {},
        "name": None,
        "updated": world.now,
    }


def _features() -> JSON:
    return {
        "customer_update": {"allowed_updates": ["email", "address"], "enabled": True},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True, "payment_method_configuration": None},
        "subscription_cancel": {
            "cancellation_reason": {"enabled": False, "options": REASONS},
            "enabled": True,
            "mode": "at_period_end",
            "proration_behavior": "none",
        },
        "subscription_update": {
            "billing_cycle_anchor": None,
            "default_allowed_updates": ["price", "quantity"],
            "enabled": True,
            "proration_behavior": "create_prorations",
            "schedule_at_period_end": {"conditions": []},
            "trial_update_behavior": "end_trial",
        },
    }
