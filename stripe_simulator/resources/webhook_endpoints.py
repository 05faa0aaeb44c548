"""Webhook endpoints: where events are delivered to."""

from typing import Any

from stripe_simulator.parameters import metadata, optional, required, set_fields
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def create(world: World, params: JSON) -> JSON:
    """POST /v1/webhook_endpoints; only this answer carries the secret."""
    return open(
        world,
        required(params, "url"),
        required(params, "enabled_events"),
        connect=bool(params.get("connect")),
        api_version=optional(params, "api_version"),
        description=optional(params, "description"),
        metadata=metadata(params),
    )


def open(
    world: World,
    url: str,
    enabled_events: list[str],
    *,
    secret: str | None = None,
    connect: bool = False,
    thin: bool = False,
    **fields: Any,
) -> JSON:
    """Add an endpoint; a thin one gets notifications that only name the object."""
    endpoint: JSON = {
        "id": world.ids.timed("we", world.now),
        "object": "webhook_endpoint",
        "api_version": None,
        "application": None,
        "created": world.now,
        "description": None,
        "enabled_events": list(enabled_events),
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": url,
    }
    endpoint |= fields
    secret = secret or f"whsec_{world.ids.letters(32)}"
    world.facts("endpoint")[endpoint["id"]] = {"secret": secret, "thin": thin, "connect": connect}
    return world.add(endpoint) | {"secret": secret}


def update(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/webhook_endpoints/:id."""
    endpoint = world.get("webhook_endpoint", id)
    set_fields(endpoint, params, "url", "enabled_events", "description")
    endpoint["metadata"] = metadata(params, endpoint["metadata"])
    if "disabled" in params:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    return endpoint


def delete(world: World, id: str, params: JSON) -> JSON:
    """DELETE /v1/webhook_endpoints/:id; what waits for it is dropped."""
    endpoint = world.get("webhook_endpoint", id)
    world.outbox = [entry for entry in world.outbox if entry[1] != id]
    return world.remove(endpoint)
