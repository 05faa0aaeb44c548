"""POST /webhooks/stripe: verify, store, then answer 2xx.

An ASGI app of its own before FastAPI's, whose routing and middleware cost as much as the work
itself (docs/decisions/004-group-commit.md). `openapi` returns its OpenAPI entry.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import (
    BodyTooLarge,
    GatewayError,
    InvalidEvent,
    InvalidSignature,
    MethodNotAllowed,
    Overloaded,
    PocketBaseUnavailable,
)
from gateway.http.body_admission import Admission, Admitted
from gateway.http.body_limit import read_body
from gateway.http.problems import respond_to
from gateway.json_codec import dump
from gateway.metrics import DeliveryTimer, count_applied
from gateway.mirror.event_change import decide, unresolved
from gateway.services import Services
from gateway.stripe_api.event import Event
from gateway.webhooks.signature import verify

PATH = "/webhooks/stripe"
_log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class ProjectionFailed(GatewayError):
    """The event is stored, but its changes could not be written."""

    status = 500
    retry_after = 60


_ERRORS = (
    InvalidSignature,
    InvalidEvent,
    BodyTooLarge,
    ProjectionFailed,
    Overloaded,
    PocketBaseUnavailable,
)


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """ASGI app for Stripe's deliveries."""

    #: Several are valid during a rotation.
    secrets: tuple[str, ...]
    #: The limit of one body: GATEWAY_MAX_BODY_BYTES.
    max_body_bytes: int
    admission: Admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one delivery; every error is a problem document."""
        timer = DeliveryTimer()
        stored: tuple[Event, str] | None = None
        problem = ""
        try:
            stored = await self._store(scope, receive, timer)
            response = _answer(stored[1])
        except Exception as error:
            problem = error.slug if isinstance(error, GatewayError) else "internal-error"
            response = respond_to(error, PATH)
        await response(scope, receive, send)
        # After the response, so that Stripe waits neither for metrics nor for the log.
        seconds = timer.end(stored[1] if stored else problem)
        if stored:
            _log_outcome(*stored, seconds)

    async def _store(
        self, scope: Scope, receive: Receive, timer: DeliveryTimer
    ) -> tuple[Event, str]:
        """Store one delivery; return its event and the outcome.

        Raises:
            InvalidSignature, InvalidEvent, BodyTooLarge: nothing was written.
            Overloaded, PocketBaseUnavailable: Stripe delivers again.
        """
        if scope["method"] != "POST":
            raise MethodNotAllowed
        services: Services = scope["app"].state.services
        with self.admission.admit() as admitted:
            body = await _read_body(receive, self.max_body_bytes, admitted)
            payload = verify(body, _read_signature(scope), self.secrets)
            timer.end_read()
            event = services.own_account.read(payload)
            change = decide(event) if services.own_account.is_certain(event) else unresolved(event)
            return event, await services.event_writer.store(change)


def _answer(outcome: str) -> ASGIApp:
    """Return the response for an outcome.

    Raises:
        ProjectionFailed: the event is stored with its error; Stripe delivers it again.
    """
    if outcome == "failed":
        raise ProjectionFailed
    return _ACCEPTED[outcome]


def _log_outcome(event: Event, outcome: str, seconds: float) -> None:
    if outcome == "applied":
        count_applied(event.created)
    _log.info(
        "stripe event",
        event_id=event.stripe_id,
        type=event.type,
        object=event.object_id,
        outcome=outcome,
        ms=round(seconds * 1000, 1),
    )


class _Accepted:
    """A 200 that is always the same."""

    def __init__(self, outcome: str) -> None:
        self._body = dump({"received": True, "outcome": outcome})
        length = str(len(self._body)).encode()
        self._headers = [(b"content-type", b"application/json"), (b"content-length", length)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._body})


_ACCEPTED = {
    outcome: _Accepted(outcome)
    for outcome in ("applied", "superseded", "duplicate", "ignored", "connect", "unresolved")
}


async def _read_body(receive: Receive, limit: int, admitted: Admitted) -> bytes:
    try:
        body = await read_body(receive, limit, admitted)
    except ClientDisconnect as error:
        raise InvalidEvent("The body ended early.") from error
    if not body:
        raise InvalidEvent("The body is empty.")
    return body


def _read_signature(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"stripe-signature":
            return str(value, "latin-1")
    return ""


_ACCEPTED_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["received", "outcome"],
    "properties": {
        "received": {"type": "boolean"},
        "outcome": {
            "type": "string",
            "enum": list(_ACCEPTED),
        },
    },
}


def openapi(problems: Callable[..., dict[int | str, dict[str, Any]]]) -> dict[str, Any]:
    """Return the endpoint's OpenAPI path item.

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
                " newer state is stored), `duplicate`, `ignored` (stored, changes no row),"
                " `connect` (another account's or mode's; stored, changes no row), `unresolved`"
                " (stored; the row follows as soon as Stripe's API has answered)."
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
                        "application/json": {"schema": _ACCEPTED_SCHEMA, "example": accepted}
                    },
                },
                **{str(status): entry for status, entry in problems(*_ERRORS).items()},
            },
        }
    }
