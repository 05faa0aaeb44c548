"""Limits the size of request bodies: 413 for a body that is too large, 503 for too many at once.

`read_body` reads every body. FastAPI's endpoints get it by `BodyLimitMiddleware` (FastAPI's own
limit answers in plain text, before CORS). Two endpoints call it themselves: webhooks.endpoint
(limit GATEWAY_MAX_BODY_BYTES) and transforms.hook_endpoint (GATEWAY_MAX_TRANSFORM_BYTES).
"""

from collections.abc import Mapping
from contextlib import ExitStack

from starlette._utils import get_route_path
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import BodyTooLarge, GatewayError
from gateway.http.body_admission import Admission, Admitted
from gateway.http.problems import ProblemException, respond_to

#: Concurrent requests with a body.
_MAX_REQUESTS = 1000
#: Maximum body by the first segment of the path, far more than a valid request needs. Other paths
#: have the limit GATEWAY_MAX_BODY_BYTES.
_SMALL_BYTES = 32_768
ENDPOINT_BYTES: Mapping[str, int] = {
    "checkout": _SMALL_BYTES,
    "portal": _SMALL_BYTES,
    "subscriptions": _SMALL_BYTES,
    "usage": _SMALL_BYTES,
    "jobs": 262_144,
    "admin": 262_144,
    "health": 0,
    "ready": 0,
    "docs": 0,
}


class BodyLimitMiddleware:
    """Limits the bytes of each body, and of all bodies in memory, for FastAPI's endpoints."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit
        self._admission = Admission.of(_MAX_REQUESTS, limit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or answer 413 or 503."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(get_route_path(scope))
        if _content_length(scope) > limit:
            await respond_to(_too_large(limit), scope["path"])(scope, receive, send)
            return
        with ExitStack() as held:
            body = _LimitedBody(receive, limit, self._admission, held)
            await self._app(scope, body.receive, send)

    def _limit_of(self, path: str) -> int:
        # The path of `OPTIONS *` has no slash.
        endpoint = path.removeprefix("/").partition("/")[0]
        return min(self._limit, ENDPOINT_BYTES.get(endpoint, self._limit))


class _LimitedBody:
    """Reads the whole body when the app first calls `receive`."""

    def __init__(self, receive: Receive, limit: int, admission: Admission, held: ExitStack) -> None:
        self._receive = receive
        self._limit = limit
        self._admission = admission
        self._held = held
        self._is_read = False

    async def receive(self) -> Message:
        """Return the whole body as one message, then the server's further messages."""
        if self._is_read:
            return await self._receive()
        self._is_read = True
        try:
            return await self._read()
        except GatewayError as error:
            # FastAPI answers any other exception with a 400.
            raise ProblemException(error) from error

    async def _read(self) -> Message:
        admitted = self._held.enter_context(self._admission.admit())
        try:
            body = await read_body(self._receive, self._limit, admitted)
        except ClientDisconnect:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": body, "more_body": False}


async def read_body(receive: Receive, limit: int, admitted: Admitted) -> bytes:
    """Return the whole body of an admitted request.

    Raises:
        BodyTooLarge: it has more than `limit` bytes.
        Overloaded: all bodies together have too many bytes.
        ClientDisconnect: the body ended early.
    """
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        more = message.get("more_body", False)
        if len(admitted.body) + len(chunk) > limit:
            raise _too_large(limit)
        admitted.add(chunk)
    return admitted.keep()


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than {limit} bytes.")


def _content_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0
