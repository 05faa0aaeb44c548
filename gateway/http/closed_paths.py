"""Answers 404 for parts of the API that are closed by a setting."""

from collections.abc import Collection, Sequence

from starlette._utils import get_route_path
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import NotFound
from gateway.http.problems import respond_to


def is_closed(path: str, closed: Collection[str]) -> bool:
    """Return whether a path is one of the closed ones, or below one."""
    return any(path == each or path.startswith(f"{each}/") for each in closed)


class ClosedPathsMiddleware:
    """Answers 404 for some paths, and everything below them."""

    def __init__(self, app: ASGIApp, paths: Sequence[str]) -> None:
        self._app = app
        self._paths = tuple(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and is_closed(get_route_path(scope), self._paths):
            await respond_to(NotFound(), scope["path"])(scope, receive, send)
        else:
            await self._app(scope, receive, send)
