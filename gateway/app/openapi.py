"""Completes FastAPI's OpenAPI document: the webhook, paths per collection, problem documents."""

from collections.abc import Iterator
from typing import Any

from gateway.errors import (
    BodyTooLarge,
    GatewayError,
    InvalidRequest,
    Overloaded,
    RateLimited,
    SuperuserNeeded,
    SuperusersOnly,
    Unauthenticated,
)
from gateway.http.problem_schema import describe_schemas
from gateway.http.problems import problem_entry, problem_responses
from gateway.http.rate_limits import UNLIMITED
from gateway.transforms.openapi import RECORDS, add_to_openapi
from gateway.transforms.table import Table
from gateway.webhooks import endpoint as webhooks

Json = dict[str, Any]

#: The refusals of `CurrentUser` and `Superuser`, by the name of their security scheme.
_CALLER_ERRORS: dict[str, tuple[type[GatewayError], ...]] = {
    "userToken": (Unauthenticated,),
    "superuserToken": (SuperuserNeeded, SuperusersOnly),
}

#: OpenAPI's list of servers.
SERVERS: list[dict[str, Any]] = [
    {"url": "/", "description": "The gateway that serves this document."},
    {
        "url": "{gateway}",
        "description": "A gateway elsewhere.",
        "variables": {
            "gateway": {
                "default": "http://127.0.0.1:8000",
                "description": "The address; by default that of `make run`.",
            }
        },
    },
]


def complete(document: Json, table: Table) -> None:
    """Add the webhook, the table of transforms, and the common answers of all endpoints."""
    _replace_validation_errors(document)
    document["components"]["schemas"].update(describe_schemas())
    document["paths"][webhooks.PATH] = webhooks.openapi(problem_responses)
    for path, operation in _operations(document):
        _add_common_errors(path, operation)
    if table.transforms:
        add_to_openapi(document, table)
    else:
        for path in [path for path in document["paths"] if path.startswith(RECORDS)]:
            del document["paths"][path]


def _operations(document: Json) -> Iterator[tuple[str, Json]]:
    for path, item in document["paths"].items():
        for operation in item.values():
            yield path, operation


def _replace_validation_errors(document: Json) -> None:
    """Replace FastAPI's 422 responses: the gateway answers problem documents with status 400."""
    for _, operation in _operations(document):
        if operation["responses"].pop("422", None):
            _merge(operation["responses"], InvalidRequest)
    for schema in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(schema, None)


def _add_common_errors(path: str, operation: Json) -> None:
    """Add the answers of middlewares; omit those about bodies for requests without one."""
    responses = operation["responses"]
    _add_caller_errors(operation)
    if "requestBody" not in operation:
        responses.pop("415", None)
    elif path != webhooks.PATH:
        _merge(responses, BodyTooLarge, Overloaded)
    if path not in (*UNLIMITED, webhooks.PATH):
        _merge(responses, RateLimited)
    responses["default"] = problem_entry("Any other error.")
    operation["responses"] = dict(sorted(responses.items()))


def _add_caller_errors(operation: Json) -> None:
    """Add the refusals of tokens to a team's endpoint; the gateway's own declare them."""
    schemes = [scheme for each in operation.get("security", []) for scheme in each]
    if "401" not in operation["responses"]:
        for scheme in schemes:
            _merge(operation["responses"], *_CALLER_ERRORS.get(scheme, ()))


def _merge(responses: Json, *errors: type[GatewayError]) -> None:
    """Add the responses of errors; an existing response of the status gets their examples."""
    for status, entry in problem_responses(*errors).items():
        existing = responses.setdefault(str(status), entry)
        [examples], [new] = _examples(existing), _examples(entry)
        if not examples.keys() >= new.keys():
            examples.update(new)
            existing["description"] += f" {entry['description']}"


def _examples(entry: Json) -> list[Json]:
    return [content["examples"] for content in entry["content"].values()]
