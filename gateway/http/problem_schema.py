"""The JSON schema of problem documents, for the OpenAPI document."""

from collections.abc import Iterator
from typing import Any

from gateway.errors import GatewayError, StripeFailure

#: The reference in each response's content.
PROBLEM = {"$ref": "#/components/schemas/Problem"}

_FIELD_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "The error of one field, with what is needed to continue.",
    "required": ["code", "message"],
    "properties": {
        "code": {"type": "string", "examples": ["validation_missing"]},
        "message": {"type": "string", "examples": ["Field required"]},
        "subscription": {
            "type": "string",
            "description": "The Stripe id of the conflicting subscription.",
        },
        "invoice": {"type": "string", "description": "The id of the invoice to pay."},
        "hosted_invoice_url": {"type": "string", "description": "Stripe's page for paying it."},
        "client_secret": {"type": "string", "description": "For paying it with Stripe.js."},
    },
    "additionalProperties": True,
}


def describe_schemas() -> dict[str, Any]:
    """Return the schemas by name; the modules of all error classes must be imported before."""
    return {"Problem": _describe_problem(), "FieldProblem": _FIELD_PROBLEM}


def _describe_problem() -> dict[str, Any]:
    return {
        "type": "object",
        "description": (
            "An error: the members of RFC 9457, PocketBase's `message` and `data`, and further"
            " members of some types."
        ),
        "required": ["type", "title", "status", "detail", "message", "data"],
        "properties": {
            "type": {
                "type": "string",
                "enum": list_types(),
                "description": "The kind of error; `about:blank`: see the status.",
            },
            "title": {"type": "string", "description": "A summary of the type."},
            "status": {"type": "integer", "description": "The HTTP status."},
            "detail": {"type": "string", "description": "The explanation of this occurrence."},
            "message": {
                "type": "string",
                "description": "Same as `detail`, for PocketBase's SDKs.",
            },
            "data": {
                "type": "object",
                "description": "Errors by field.",
                "additionalProperties": {"$ref": "#/components/schemas/FieldProblem"},
            },
            "retry_after": {
                "type": "integer",
                "description": "Seconds to wait before a retry, as in the header `Retry-After`.",
            },
            "stripe": {
                "type": "object",
                "description": (
                    "Stripe's error, if it caused this one, without its message: for looking it up"
                    " and for reporting it to the seller."
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
                "description": "With `already-subscribed`: the portal, to change the subscription.",
            },
            "subscription": {
                "type": "string",
                "description": "With `already-subscribed`: id of the subscription to pay first.",
            },
            "hosted_invoice_url": {
                "type": "string",
                "description": "With `already-subscribed`: the page for paying it, or empty.",
            },
        },
    }


def list_types() -> list[str]:
    """Return every value of ``type``."""
    return ["about:blank", *sorted({f"urn:problem:{error().slug}" for error in _errors()})]


def _errors(base: type[GatewayError] = GatewayError) -> Iterator[type[GatewayError]]:
    """Yield the gateway's own error classes; a team's app or a test may define others."""
    for error in base.__subclasses__():
        if error.__module__.startswith("gateway.") and error is not StripeFailure:
            yield error
        yield from _errors(error)
