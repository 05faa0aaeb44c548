"""Answers 404 for parts of the API that are closed by a setting."""

from collections.abc import Sequence

from starlette._utils import get_route_path
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import NotFound
from gateway.http.problems import respond_to


class ClosedPathsMiddleware:
    """Answers 404 for some paths, and everything below them."""

    def __init__(self, app: ASGIApp, paths: Sequence[str]) -> None:
        self._app = app
        self._paths = tuple(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and self._is_closed(get_route_path(scope)):
            await respond_to(NotFound(), scope["path"])(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_closed(self, path: str) -> bool:
        return any(path == closed or path.startswith(f"{closed}/") for closed in self._paths)
