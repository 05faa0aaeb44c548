"""A customer's features by Stripe Entitlements."""

from gateway.rows import Changes, Json, Row
from gateway.stripe_api.fields import as_list, as_text, relation, stripe_id


def project_entitlement_summary(summary: Json, deleted: bool) -> Changes:
    """The summary has no id of its own: the row is the customer's."""
    customer = stripe_id(summary.get("customer"))
    keys = {as_text(item.get("lookup_key")) for item in as_list(summary.get("entitlements"))}
    values = {
        "customer": relation(customer),
        "lookup_keys": sorted(key for key in keys if key),
    }
    return Changes(Row("entitlement_summaries", customer, values, final=deleted))
