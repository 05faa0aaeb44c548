"""Refuses bodies that are too large, or too many at once, with a problem document.

FastAPI's own limit answers in plain text, before CORS.
"""

from collections.abc import Mapping
from contextlib import ExitStack

from starlette._utils import get_route_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import BodyTooLarge, GatewayError
from gateway.http.body_admission import BODIES_BYTES, Admission
from gateway.http.problems import ProblemException, respond_to

#: Bodies that may be held at once.
_MAX_BODIES = 1000
#: The largest body that an endpoint needs, by the first part of its path: far more than a valid
#: one has. Other paths have the general limit.
_SMALL = 32_768
ENDPOINT_BYTES: Mapping[str, int] = {
    "checkout": _SMALL,
    "portal": _SMALL,
    "subscriptions": _SMALL,
    "usage": _SMALL,
    "admin": 262_144,
    "health": 0,
    "ready": 0,
    "docs": 0,
}


class BodyLimitMiddleware:
    """Limits the bytes of each body, and of all bodies in memory."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit
        self._admission = Admission(_MAX_BODIES, max(BODIES_BYTES, 2 * limit))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or answer 413 or 503."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(get_route_path(scope))
        if _announced(scope) > limit:
            await respond_to(_too_large(limit), scope["path"])(scope, receive, send)
            return
        with ExitStack() as held:
            body = _LimitedBody(receive, limit, self._admission, held)
            await self._app(scope, body.receive, send)

    def _limit_of(self, path: str) -> int:
        return min(self._limit, ENDPOINT_BYTES.get(path.split("/", 2)[1:2][0], self._limit))


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
            # Of any other exception FastAPI makes a 400.
            raise ProblemException(error) from error

    async def _read(self) -> Message:
        admitted = self._held.enter_context(self._admission.admit())
        more = True
        while more:
            message = await self._receive()
            if message["type"] != "http.request":
                return message
            chunk = message.get("body", b"")
            more = message.get("more_body", False)
            if len(admitted.body) + len(chunk) > self._limit:
                raise _too_large(self._limit)
            admitted.add(chunk)
        return {"type": "http.request", "body": admitted.keep(), "more_body": False}


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than {limit} bytes.")


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0
