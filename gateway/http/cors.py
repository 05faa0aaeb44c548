"""CORS: the allowed origins and headers, and a log line for each refused request."""

import logging

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.http.request_id import HEADER as REQUEST_ID
from gateway.settings import Settings

_log = logging.getLogger(__name__)
_HEADERS = ("Authorization", "Content-Type", "Idempotency-Key", REQUEST_ID)
#: Headers that tracing libraries add: Sentry, OpenTelemetry, Datadog, Zipkin.
_TRACING = (
    "Sentry-Trace",
    "Baggage",
    "Traceparent",
    "Tracestate",
    "B3",
    "X-B3-Traceid",
    "X-B3-Spanid",
    "X-B3-Parentspanid",
    "X-B3-Sampled",
    "X-Datadog-Trace-Id",
    "X-Datadog-Parent-Id",
    "X-Datadog-Origin",
    "X-Datadog-Sampling-Priority",
)
_MAX_LOGGED_CHARACTERS = 200


def build_cors(settings: Settings) -> Middleware:
    """Return the middleware that allows the configured frontends, with their headers."""
    return Middleware(
        LoggingCORSMiddleware,
        allow_origins=list(settings.gateway_frontend_origins),
        allow_methods=["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"],
        allow_headers=[*_HEADERS, *_TRACING, *settings.gateway_cors_headers],
        expose_headers=["Retry-After", REQUEST_ID],
        max_age=3600,
    )


class LoggingCORSMiddleware(CORSMiddleware):
    """Logs refused origins, because browsers show no reason."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer a preflight."""
        response = super().preflight_response(request_headers)
        if response.status_code >= 400:
            wanted = request_headers.get("access-control-request-headers", "")
            _warn(request_headers, bytes(response.body).decode(), headers=wanted)
        return response

    async def simple_response(
        self, scope: Scope, receive: Receive, send: Send, request_headers: Headers
    ) -> None:
        """Serve a request that is not a preflight."""
        origin = request_headers.get("origin")
        host = request_headers.get("host", "")
        if origin and origin.split("://")[-1] != host and not self.is_allowed_origin(origin):
            _warn(request_headers, "Disallowed CORS origin")
        await super().simple_response(scope, receive, send, request_headers)


def _warn(request_headers: Headers, reason: str, **more: str) -> None:
    fields = {"origin": request_headers["origin"], "reason": reason, **more}
    bounded = {name: text[:_MAX_LOGGED_CHARACTERS] for name, text in fields.items()}
    _log.warning("CORS refused: see GATEWAY_FRONTEND_ORIGINS, GATEWAY_CORS_HEADERS", extra=bounded)
