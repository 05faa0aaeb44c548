"""POST /records/{collection} and PATCH /records/{collection}/{id}: relay a write to PocketBase.

The request is forwarded with the user's token and comes back through PocketBase's hook to the
transform, so the records and errors are those of a direct write.
"""

import time
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import APIRouter, Path, Query, Request, Response

from gateway.dependencies import OptionalToken, ServicesDep, TokenRoute
from gateway.errors import (
    HooksMismatch,
    InvalidRequest,
    NotFound,
    PocketBaseUnavailable,
    Unavailable,
    UnreadableToken,
    problem,
)
from gateway.http.problems import problem_entry, problem_responses
from gateway.http.request_id import HEADER as REQUEST_ID
from gateway.http.request_id import current_request_id
from gateway.json_codec import dump, load
from gateway.pocketbase import Answer, PocketBase, PocketBaseRefused
from gateway.pocketbase.contracts.route import Empty
from gateway.pocketbase.contracts.transforms import DRY_RUN
from gateway.pocketbase.hook_call import call_hook
from gateway.services import Services
from gateway.settings import Settings
from gateway.transforms.relayed_client import HEADER, sign_address

_MEDIA_TYPE = "application/problem+json"
_BODY: dict[str, Any] = {
    "requestBody": {
        "description": "The body of the same request to PocketBase.",
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "object", "additionalProperties": True}},
            "multipart/form-data": {"schema": {"type": "object", "additionalProperties": True}},
        },
    },
}
#: An update may have nothing to change.
_UPDATE_BODY = {**_BODY, "requestBody": {**_BODY["requestBody"], "required": False}}


class NoTransform(NotFound):
    """This collection has no transform: write to PocketBase directly."""


class NoDryRun(Unavailable):
    """PocketBase can't do a dry run at present."""


_REFUSED = problem(HTTPStatus.FORBIDDEN, "Forbidden", "Only superusers can perform this action.")
_RESPONSES = problem_responses(
    InvalidRequest,
    UnreadableToken,
    NoTransform,
    PocketBaseUnavailable,
    NoDryRun,
    texts={
        HTTPStatus.BAD_REQUEST: "The values are refused; `data` has the errors by field.",
        HTTPStatus.NOT_FOUND: (
            "The record does not exist, or the collection has no transform: write to PocketBase."
        ),
    },
) | {HTTPStatus.FORBIDDEN: problem_entry("PocketBase's rules don't allow this.", refused=_REFUSED)}


Collection = Annotated[str, Path(description="The name of a collection that has a transform.")]
RecordId = Annotated[str, Path(description="The record's id.")]
DryRun = Annotated[bool, Query(description="Validate and answer without writing.")]

router = APIRouter(tags=["records"], route_class=TokenRoute)


@router.post(
    "/records/{collection}",
    operation_id="create_record",
    responses=_RESPONSES,
    openapi_extra=_BODY,
)
async def create_record(
    request: Request,
    collection: Collection,
    token: OptionalToken,
    services: ServicesDep,
    dry_run: DryRun = False,
) -> Response:
    """Create a record as PocketBase does, under its rules; the answer is PocketBase's.

    With `dry_run=1` nothing is stored: the answer is the record that would be stored.
    """
    if (collection, "create") not in services.transforms.transforms:
        raise NoTransform
    path = f"/api/collections/{quote(collection, safe='')}/records"
    return await _forward(services, request, path, token, dry_run)


@router.patch(
    "/records/{collection}/{record_id}",
    operation_id="update_record",
    responses=_RESPONSES,
    openapi_extra=_UPDATE_BODY,
)
async def update_record(
    request: Request,
    collection: Collection,
    record_id: RecordId,
    token: OptionalToken,
    services: ServicesDep,
    dry_run: DryRun = False,
) -> Response:
    """Change a record as PocketBase does, under its rules; the answer is PocketBase's.

    With `dry_run=1` nothing is stored: the answer is the record that would be stored.
    """
    if (collection, "update") not in services.transforms.transforms:
        raise NoTransform
    if record_id in (".", ".."):
        # The URL would be the collection's, not a record's.
        raise NotFound
    path = f"/api/collections/{quote(collection, safe='')}/records/{quote(record_id, safe='')}"
    return await _forward(services, request, path, token, dry_run)


async def _forward(
    services: Services, request: Request, path: str, token: str, dry_run: bool
) -> Response:
    headers = {REQUEST_ID: current_request_id(), **_describe_client(request, services.settings)}
    if content_type := request.headers.get("content-type"):
        headers["Content-Type"] = content_type
    if token:
        headers["Authorization"] = token
    # Before the dry run's token, which is valid for a few seconds.
    body = await request.body()
    if dry_run:
        headers["X-Gateway-Dry-Run"] = await _get_dry_run_token(services.pocketbase)
    path += _read_query(request)
    return _translate(await services.pocketbase.forward(request.method, path, headers, body))


def _describe_client(request: Request, settings: Settings) -> dict[str, str]:
    """Return headers that describe the client for transforms; PocketBase sees the gateway's."""
    passed = {
        name: request.headers[name]
        for name in settings.gateway_transform_headers
        if name in request.headers
    }
    address = request.client.host if request.client else ""
    return {**passed, HEADER: sign_address(address, time.time(), settings.hook_keys[0])}


def _read_query(request: Request) -> str:
    pairs = parse_qsl(request.url.query, keep_blank_values=True)
    query = urlencode([(name, value) for name, value in pairs if name != "dry_run"])
    return f"?{query}" if query else ""


async def _get_dry_run_token(pocketbase: PocketBase) -> str:
    """Return a token for one dry run; see pb_hooks/lib/transforms/dry_run.js."""
    try:
        return (await call_hook(pocketbase, DRY_RUN, Empty())).ticket
    except (PocketBaseRefused, HooksMismatch) as refused:
        raise NoDryRun from refused


def _translate(answer: Answer) -> Response:
    """Return PocketBase's answer; an error as a problem document with the same members."""
    if answer.status < 400:
        return Response(answer.body, answer.status, media_type="application/json")
    try:
        error = load(answer.body)
        document = problem(
            answer.status, HTTPStatus(answer.status).phrase, error["message"], data=error["data"]
        )
    except (ValueError, LookupError, TypeError) as unreadable:
        raise PocketBaseUnavailable from unreadable
    return Response(dump(document), answer.status, media_type=_MEDIA_TYPE)
