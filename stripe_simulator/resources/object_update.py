"""POST /v1/…/:id of objects with plain fields and metadata."""

from stripe_simulator.parameters import metadata, set_fields
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def update_object(world: World, kind: str, id: str, params: JSON, *names: str) -> JSON:
    """Change the named fields and the metadata of an object; return it."""
    obj = world.get(kind, id)
    with world.change(obj, f"{kind}.updated"):
        set_fields(obj, params, *names)
        obj["metadata"] = metadata(params, obj["metadata"])
    return obj
