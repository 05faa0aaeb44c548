"""Where API version endive differs from the document, which is of version dahlia."""

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
    return schema | {"properties": properties, "additionalProperties": False}
