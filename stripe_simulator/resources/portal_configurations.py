"""Billing portal configurations: what a customer may do there."""

from stripe_simulator.parameters import metadata, set_fields
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

REASONS = ["too_expensive", "missing_features", "switched_service", "unused", "other"]


def create(world: World, params: JSON) -> JSON:
    """POST /v1/billing_portal/configurations."""
    configuration = _configuration(world)
    set_fields(configuration, params, "default_return_url", "name")
    _merge(configuration, params)
    world.add(configuration)
    world.record("billing_portal.configuration.created", configuration)
    return configuration


def update(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/billing_portal/configurations/:id."""
    configuration = world.get("billing_portal.configuration", id)
    with world.change(configuration, "billing_portal.configuration.updated"):
        set_fields(configuration, params, "active", "default_return_url", "name")
        _merge(configuration, params)
        configuration["updated"] = world.now
    return configuration


def default(world: World) -> JSON:
    """The account's default configuration; made when first needed."""
    for configuration in world.all("billing_portal.configuration").values():
        if configuration["is_default"]:
            return configuration
    return world.add(_configuration(world) | {"is_default": True})


def _merge(configuration: JSON, params: JSON) -> None:
    configuration["metadata"] = metadata(params, configuration["metadata"])
    configuration["business_profile"] |= params.get("business_profile") or {}
    for name, feature in (params.get("features") or {}).items():
        known = configuration["features"][name]
        known |= {key: value for key, value in feature.items() if value != ""}
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
