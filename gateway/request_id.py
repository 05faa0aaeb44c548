"""A name for each request, for the log and for the client to quote."""

import re
from contextvars import ContextVar
from itertools import count
from secrets import token_hex

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_current: ContextVar[str] = ContextVar("request_id", default="")
_given = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_HEADER = b"x-request-id"
#: Ids of our own: this process's name, and a number.
_process = token_hex(5)
_numbers = count(1)


def current_request_id() -> str:
    """The id of the request that is being served, "" outside of one."""
    return _current.get()


class RequestIdMiddleware:
    """Takes ``X-Request-Id`` from the proxy, or makes one, and gives it back."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request under its id."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _read(scope)
        _current.set(request_id)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (_HEADER, request_id.encode())]
            await send(message)

        await self._app(scope, receive, send_with_id)


def _read(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == _HEADER and _given.fullmatch(value):
            return str(value, "ascii")
    return f"{_process}-{next(_numbers)}"
