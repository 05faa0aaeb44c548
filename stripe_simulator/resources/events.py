"""Events as the API shows them, and as thin notifications."""

from collections.abc import Sequence
from datetime import UTC, datetime

from stripe_simulator.errors import missing_object
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

#: Paths of the API's collections, by the name of their objects; used in `related_object.url`.
PLACES = {
    "billing_portal.configuration": "billing_portal/configurations",
    "billing_portal.session": "billing_portal/sessions",
    "checkout.session": "checkout/sessions",
    "discount": "discounts",
    "entitlements.active_entitlement_summary": "entitlements/active_entitlements",
    "tax_id": "tax_ids",
}

RETENTION = 30 * 86_400


def retrieve(world: World, id: str, params: JSON) -> JSON:
    """GET /v1/events/:id."""
    event = (world.past_events or world.events_by_id).get(id)
    if event is None or event["created"] < world.now - RETENTION:
        raise missing_object("event", id)
    return event


def newest_first(world: World) -> Sequence[JSON]:
    """The events of the last 30 days."""
    oldest = world.now - RETENTION
    if world.past_events is not None:
        return world.past_events.newest_first().since(lambda event: event["created"] < oldest)
    return [event for event in reversed(world.events) if event["created"] >= oldest]


def retrieve_thin(world: World, id: str, params: JSON) -> JSON:
    """GET /v2/core/events/:id; takes the id of the notification or of its snapshot event."""
    return thin(retrieve(world, id.replace("evt_test_", "evt_1", 1), {}))


def thin(event: JSON) -> JSON:
    """The thin notification of a snapshot event."""
    obj = event["data"]["object"]
    created = datetime.fromtimestamp(event["created"], UTC)
    reason = None
    if event["request"]["id"]:
        reason = {"request": dict(event["request"]), "type": "request"}
    return {
        "id": event["id"].replace("evt_1", "evt_test_", 1),
        "object": "v2.core.event",
        "type": f"v1.{event['type']}",
        "context": event.get("account"),
        "created": created.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "livemode": False,
        "reason": reason,
        "related_object": _related(obj),
        "snapshot_event": event["id"],
    }


def _related(obj: JSON) -> JSON | None:
    if "id" not in obj:
        return None
    place = PLACES.get(obj["object"], f"{obj['object'].replace('.', '/')}s")
    return {"id": obj["id"], "type": obj["object"], "url": f"/v1/{place}/{obj['id']}"}
