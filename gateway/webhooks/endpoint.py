"""POST /webhooks/stripe: verified, durable, then answered 2xx.

A plain ASGI endpoint, because routing and validation would cost more than the work itself; its
OpenAPI entry stands beside it.
"""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.errors import (
    BodyTooLarge,
    GatewayError,
    InvalidEvent,
    InvalidSignature,
    Overloaded,
    PocketBaseUnavailable,
    StripeUnavailable,
)
from gateway.webhooks.event import parse, verify
from gateway.webhooks.inbox import Inbox
from gateway.webhooks.projector import plan

PATH = "/webhooks/stripe"
_log = logging.getLogger(__name__)


class ProjectionFailed(GatewayError):
    """The event is stored, but what it changes could not be written."""

    status = 500
    retry_after = 60


_ERRORS = (
    InvalidSignature,
    InvalidEvent,
    BodyTooLarge,
    ProjectionFailed,
    Overloaded,
    PocketBaseUnavailable,
    StripeUnavailable,
)


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """Takes Stripe's deliveries."""

    #: During a rotation several are valid.
    secrets: tuple[str, ...]
    max_body_bytes: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one delivery.

        Raises:
            InvalidSignature, InvalidEvent, BodyTooLarge: nothing was written.
            Overloaded, PocketBaseUnavailable, StripeUnavailable: Stripe is to deliver again.
            ProjectionFailed: stored with its error; Stripe is to deliver again.
        """
        started = time.perf_counter()
        request = Request(scope, receive)
        inbox: Inbox = request.app.state.inbox
        if inbox.is_full:
            raise Overloaded
        body = await _read_body(request, self.max_body_bytes)
        if not body:
            raise InvalidEvent("The body is empty.")
        event = parse(verify(body, request.headers.get("stripe-signature", ""), self.secrets))
        outcome = await inbox.store(plan(event))
        _log.info(
            "stripe event",
            extra={
                "event": event.stripe_id,
                "type": event.type,
                "object": event.object_id,
                "outcome": outcome,
                "ms": round((time.perf_counter() - started) * 1000, 1),
            },
        )
        if outcome == "failed":
            raise ProjectionFailed
        await _ok(outcome)(scope, receive, send)


async def _read_body(request: Request, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge(f"A webhook body may have {limit} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)


def _ok(outcome: str) -> Response:
    body = json.dumps({"received": True, "outcome": outcome}).encode()
    return Response(body, media_type="application/json")


def openapi(problems: Callable[..., dict[int | str, dict[str, Any]]]) -> dict[str, Any]:
    """The endpoint's OpenAPI path item.

    Args:
        problems: gives the ``responses`` of error classes.
    """
    example = {
        "id": "evt_1SWbVhLkdIwHu7ix",
        "object": "event",
        "type": "customer.subscription.updated",
        "created": 1763856000,
        "data": {"object": {"id": "sub_1SWbVdLkdIwHu7ix", "object": "subscription"}},
    }
    accepted = {"received": True, "outcome": "applied"}
    return {
        "post": {
            "tags": ["webhooks"],
            "operationId": "receive_stripe_event",
            "summary": "Receive a Stripe event",
            "description": (
                "For Stripe only. The answer is 2xx once the event and every row it changes are"
                " durable; a repeated event changes nothing. Outcomes: `applied`, `superseded` (a"
                " newer state is stored), `repeated`, `unmirrored` (stored, changes no row),"
                " `foreign` (a connected account's; stored, changes no row)."
            ),
            "parameters": [
                {
                    "name": "Stripe-Signature",
                    "in": "header",
                    "required": True,
                    "schema": {"type": "string"},
                    "example": "t=1763856000,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff",
                }
            ],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"type": "object"}, "example": example}},
            },
            "responses": {
                "200": {
                    "description": "The event is durable.",
                    "content": {
                        "application/json": {"schema": {"type": "object"}, "example": accepted}
                    },
                },
                **{str(status): entry for status, entry in problems(*_ERRORS).items()},
            },
        }
    }
