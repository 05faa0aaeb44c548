"""The projection of all other Stripe objects: their common fields."""

from gateway.dates import unix_to_column
from gateway.rows import Changes, Json, Row
from gateway.stripe_api.fields import as_text, created_at, relation, stripe_id

#: The collection of these objects.
STRIPE_OBJECTS = "stripe_objects"


def project_stripe_object(item: Json, deleted: bool) -> Changes:
    """Everything else is in the stored object."""
    values = {
        "object": as_text(item.get("object")),
        "customer": relation(item.get("customer")),
        "livemode": item.get("livemode") is True,
        "deleted": deleted,
        "created": unix_to_column(created_at(item)),
    }
    return Changes(Row(STRIPE_OBJECTS, stripe_id(item), values, final=deleted))
