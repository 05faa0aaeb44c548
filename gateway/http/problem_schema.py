"""The JSON schema of problem documents, for the OpenAPI document."""

from collections.abc import Iterator
from typing import Any

from gateway.errors import GatewayError, StripeFailure

#: What a response's content refers to.
PROBLEM = {"$ref": "#/components/schemas/Problem"}

_FIELD_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "What is wrong with one field, or how to go on from here.",
    "required": ["code", "message"],
    "properties": {
        "code": {"type": "string", "examples": ["validation_missing"]},
        "message": {"type": "string", "examples": ["Field required"]},
        "subscription": {
            "type": "string",
            "description": "The id at Stripe of the subscription that is in the way.",
        },
        "invoice": {"type": "string", "description": "The id of the invoice to pay."},
        "hosted_invoice_url": {"type": "string", "description": "Stripe's page to pay it on."},
        "client_secret": {"type": "string", "description": "To pay it by Stripe.js."},
    },
    "additionalProperties": True,
}


def describe_schemas() -> dict[str, Any]:
    """Return the schemas by name; all errors of the gateway's modules must be imported before."""
    return {"Problem": _describe_problem(), "FieldProblem": _FIELD_PROBLEM}


def _describe_problem() -> dict[str, Any]:
    return {
        "type": "object",
        "description": (
            "An error: RFC 9457's members, PocketBase's `message` and `data`, and those that some"
            " types have."
        ),
        "required": ["type", "title", "status", "detail", "message", "data"],
        "properties": {
            "type": {
                "type": "string",
                "enum": list_types(),
                "description": "What went wrong; `about:blank`: what the status says.",
            },
            "title": {"type": "string", "description": "The type in words."},
            "status": {"type": "integer", "description": "The HTTP status."},
            "detail": {"type": "string", "description": "What went wrong this time."},
            "message": {"type": "string", "description": "The same, where PocketBase has it."},
            "data": {
                "type": "object",
                "description": "What is wrong, by field.",
                "additionalProperties": {"$ref": "#/components/schemas/FieldProblem"},
            },
            "retry_after": {
                "type": "integer",
                "description": "Seconds after which to try again, as the header `Retry-After`.",
            },
            "stripe": {
                "type": "object",
                "description": (
                    "Stripe's own error, where it caused this one; to look up, and to quote to"
                    " the seller. Its text is left out."
                ),
                "properties": {
                    "type": {"type": "string", "examples": ["card_error"]},
                    "code": {"type": "string", "examples": ["card_declined"]},
                    "decline_code": {"type": "string", "examples": ["insufficient_funds"]},
                    "param": {"type": "string", "examples": ["line_items[0][price]"]},
                    "doc_url": {"type": "string", "format": "uri"},
                    "request_id": {"type": "string", "examples": ["req_a1b2c3"]},
                },
            },
            "portal_url": {
                "type": "string",
                "description": "With `already-subscribed`: where to change what is subscribed to.",
            },
            "subscription": {
                "type": "string",
                "description": "With `already-subscribed`: the id of a subscription to pay first.",
            },
            "hosted_invoice_url": {
                "type": "string",
                "description": "With `already-subscribed`: where to pay it; empty if unknown.",
            },
        },
    }


def list_types() -> list[str]:
    """Return every value of ``type``."""
    return ["about:blank", *sorted({f"urn:problem:{error().slug}" for error in _errors()})]


def _errors(base: type[GatewayError] = GatewayError) -> Iterator[type[GatewayError]]:
    """The gateway's own error classes; others may be a test's, or of a module with transforms."""
    for error in base.__subclasses__():
        if error.__module__.startswith("gateway.") and error is not StripeFailure:
            yield error
        yield from _errors(error)
