"""Differences between API version endive and the document, which is of version dahlia."""

from typing import Any

from stripe_simulator.snapshots import JSON

#: Request fields that endive refuses, by operation.
REFUSED: dict[str, list[str]] = {
    "POST /v1/checkout/sessions": ["payment_method_types"],
    "POST /v1/payment_intents": ["payment_method_types"],
    "POST /v1/setup_intents": ["payment_method_types"],
}

_TYPES: JSON = {"type": "array", "items": {"type": "string"}}
_ANCHOR: JSON = {
    "type": "object",
    "properties": {"type": {"type": "string", "enum": ["now", "unchanged"]}},
    "required": ["type"],
    "additionalProperties": False,
}

#: Request fields that endive adds or changes, by operation.
REQUESTS: dict[str, dict[str, JSON]] = {
    "POST /v1/checkout/sessions": {"allowed_payment_method_types": _TYPES},
    "POST /v1/payment_intents": {"allowed_payment_method_types": _TYPES},
    "POST /v1/setup_intents": {"allowed_payment_method_types": _TYPES},
    "POST /v1/subscriptions/{subscription_exposed_id}": {"billing_cycle_anchor": _ANCHOR},
}

#: Values that endive adds to an enum of a request, by operation and field.
_EVENT_TYPES = [
    "apps.install.created",
    "apps.install.deleted",
    "apps.install.updated",
    "billing.credit_balance_transaction.created",
    "billing.credit_grant.updated",
    "billing.meter.created",
    "billing.meter.deactivated",
    "billing.meter.reactivated",
    "billing.meter.updated",
]
VALUES: dict[str, dict[str, list[str]]] = {
    "POST /v1/webhook_endpoints": {
        "api_version": [
            "2026-06-24.dahlia",
            "2026-07-29.dahlia",
            "2026-08-26.dahlia",
            "2026-09-30.endive",
            "2026-10-28.endive",
        ],
        "enabled_events": _EVENT_TYPES,
    },
    "POST /v1/webhook_endpoints/{webhook_endpoint}": {"enabled_events": _EVENT_TYPES},
}

#: Objects that the document does not describe; events carry them.
OBJECTS: dict[str, JSON] = {
    "entitlements.active_entitlement_summary": {
        "type": "object",
        "properties": {
            "object": {"type": "string", "enum": ["entitlements.active_entitlement_summary"]},
            "customer": {"type": "string"},
            "livemode": {"type": "boolean"},
            "entitlements": {
                "type": "object",
                "properties": {
                    "object": {"type": "string", "enum": ["list"]},
                    "data": {
                        "type": "array",
                        "items": {"$ref": "#/components/schemas/entitlements.active_entitlement"},
                    },
                    "has_more": {"type": "boolean"},
                    "url": {"type": "string"},
                },
                "required": ["object", "data", "has_more", "url"],
            },
        },
        "required": ["object", "customer", "livemode", "entitlements"],
    },
}

#: Fields that an object lacks in one type of event.
LACKING: dict[str, list[str]] = {"invoice.upcoming": ["id"]}


def apply_to_request(operation: str, schema: JSON) -> JSON:
    """Return an operation's request schema as endive has it."""
    properties: dict[str, Any] = dict(schema.get("properties") or {})
    for name in REFUSED.get(operation, []):
        properties.pop(name, None)
    properties |= REQUESTS.get(operation, {})
    for name, values in VALUES.get(operation, {}).items():
        properties[name] = _add_values(properties[name], values)
    return schema | {"properties": properties, "additionalProperties": False}


def _add_values(field: JSON, values: list[str]) -> JSON:
    """Return a field's schema with more values, of the field or of a list's items."""
    if "items" in field:
        return field | {"items": _add_values(field["items"], values)}
    return field | {"enum": [*field["enum"], *values]}
