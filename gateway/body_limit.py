"""Refuses bodies that are too large, by a problem document that a frontend can read.

FastAPI's own limit answers in plain text, before CORS.
"""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import BodyTooLarge
from gateway.problems import respond_to


class BodyLimitMiddleware:
    """Holds a body's announced length, and its bytes as they come, against a limit."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or answer 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _announced(scope) > self._limit:
            error = BodyTooLarge(f"A body may have {self._limit} bytes.")
            await respond_to(error, scope["path"])(scope, receive, send)
            return
        size = 0

        async def receive_within_limit() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._limit:
                # Of any other exception FastAPI makes a 400.
                raise HTTPException(BodyTooLarge.status, f"A body may have {self._limit} bytes.")
            return message

        await self._app(scope, receive_within_limit, send)


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
