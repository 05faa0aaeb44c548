"""Webhook endpoints: where events are delivered to."""

import re
from typing import Any
from urllib.parse import urlsplit

from stripe_simulator.errors import invalid
from stripe_simulator.parameters import metadata, optional, required, set_fields
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

#: Endpoints of an account and mode.
MAX_ENDPOINTS = 16


def create(world: World, params: JSON) -> JSON:
    """POST /v1/webhook_endpoints; only this answer carries the secret."""
    url, events = required(params, "url"), required(params, "enabled_events")
    _check(params)
    if len(world.all("webhook_endpoint")) >= MAX_ENDPOINTS:
        raise invalid(f"You have reached the maximum of {MAX_ENDPOINTS} test webhook endpoints.")
    return open(
        world,
        url,
        events,
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
    _check(params)
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


def _check(params: JSON) -> None:
    """Refuse what Stripe refuses; unlike Stripe, allow endpoints on this machine."""
    url, version = params.get("url"), params.get("api_version")
    if url is not None and urlsplit(url).scheme not in ("http", "https"):
        message = "Invalid URL: An explicit scheme (such as https) must be provided."
        raise invalid(message, "url", "url_invalid")
    if url is not None and not urlsplit(url).hostname:
        raise invalid("Invalid URL: URL must have a valid hostname.", "url", "url_invalid")
    if version and not re.fullmatch(r"\d{4}-\d\d-\d\d(\.[a-z]+)?", version):
        raise invalid(f"Invalid Stripe API version: {version}", "api_version")
    events = params.get("enabled_events")
    if events is not None and (not events or ("*" in events and len(events) > 1)):
        raise invalid("Invalid enabled_events: give event types, or only '*'.", "enabled_events")
