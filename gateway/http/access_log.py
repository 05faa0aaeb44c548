"""The optional access log: one line per request (GATEWAY_ACCESS_LOG)."""

from collections.abc import Container
from time import perf_counter

import structlog
from starlette._utils import get_route_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class AccessLogMiddleware:
    """Logs method, route, status and milliseconds.

    Not the path, because people can write anything into it; nor query, headers, body and address.
    """

    def __init__(self, app: ASGIApp, early: Container[str]) -> None:
        """Wrap an application.

        Args:
            early: the paths that are served before FastAPI's routing.
        """
        self.app = app
        self._early = early

    def _find_route(self, scope: Scope) -> str:
        """Return the path of the route with its parameters' names, "" if there is none."""
        path = get_route_path(scope)
        return path if path in self._early else getattr(scope.get("route"), "path", "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, then log it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = perf_counter(), 0

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_noted)
        finally:
            # 0: the connection ended before an answer.
            _log.info(
                "request",
                method=scope["method"],
                route=self._find_route(scope),
                status=status,
                ms=round((perf_counter() - began) * 1000, 1),
            )
