"""The features a customer has now, as Stripe Entitlements say it."""

from gateway.shapes import listing, relation, stripe_id, text
from gateway.writes import Changes, Json, Row


def project_entitlement_summary(summary: Json, deleted: bool) -> Changes:
    """The summary has no id of its own: the row is the customer's."""
    customer = stripe_id(summary.get("customer"))
    keys = {text(item.get("lookup_key")) for item in listing(summary.get("entitlements"))}
    values = {
        "customer": relation(customer),
        "lookup_keys": sorted(key for key in keys if key),
    }
    return Changes(Row("entitlement_summaries", customer, values, final=deleted))
