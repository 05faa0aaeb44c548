"""The middleware of the gateway, around and inside of a team's own."""

from collections.abc import Mapping, Sequence

from starlette._utils import get_route_path
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from gateway.app.closed_routes import list_closed
from gateway.app.configuration import Configuration
from gateway.http.access_log import AccessLogMiddleware
from gateway.http.body_admission import Admission
from gateway.http.body_limit import BodyLimitMiddleware
from gateway.http.closed_paths import ClosedPathsMiddleware
from gateway.http.cors import build_cors
from gateway.http.problems import ErrorMiddleware
from gateway.http.rate_limits import RateLimitMiddleware
from gateway.http.request_id import RequestIdMiddleware
from gateway.http.security_headers import SecurityHeadersMiddleware
from gateway.settings import Settings
from gateway.transforms import hook_endpoint as records
from gateway.webhooks import endpoint as webhooks


class EarlyRoutes:
    """Serves webhooks and hooks before CORS, limits and FastAPI's routing, which cost them more
    time than their work (docs/decisions/004-group-commit.md)."""

    def __init__(self, app: ASGIApp, routes: Mapping[str, ASGIApp]) -> None:
        self.app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        app = self._routes.get(get_route_path(scope)) if scope["type"] == "http" else None
        await (app or self.app)(scope, receive, send)


def wrap_inside(
    configuration: Configuration, *, docs: Sequence[str], answers_errors: bool
) -> list[Middleware]:
    """Return the middleware between the early routes and FastAPI's, the outermost first.

    Args:
        docs: the paths of the API's documentation.
        answers_errors: whether unexpected errors are answered here, not by a team's handler.
    """
    settings = configuration.settings
    return [
        build_cors(settings),
        Middleware(BodyLimitMiddleware, limit=settings.gateway_max_body_bytes),
        Middleware(RateLimitMiddleware, limits=configuration.rate_limits),
        *_close_paths(settings, docs),
        *([Middleware(ErrorMiddleware)] if answers_errors else []),
    ]


def _close_paths(settings: Settings, docs: Sequence[str]) -> list[Middleware]:
    closed = [
        *list_closed(settings),
        *(() if settings.gateway_api_docs else docs),
    ]
    return [Middleware(ClosedPathsMiddleware, paths=closed)] if closed else []


def wrap_outside(app: ASGIApp, configuration: Configuration, team: Sequence[Middleware]) -> ASGIApp:
    """Return the whole application: early routes, then the team's middleware, then ours."""
    early = _early_routes(configuration)
    app = EarlyRoutes(app, early)
    for middleware in reversed(team):
        app = middleware.cls(app, *middleware.args, **middleware.kwargs)
    if team:
        app = ErrorMiddleware(app)
    if configuration.settings.gateway_access_log:
        app = AccessLogMiddleware(app, early)
    app = SecurityHeadersMiddleware(RequestIdMiddleware(app))
    if proxies := configuration.settings.gateway_trusted_proxies:
        app = ProxyHeadersMiddleware(app, trusted_hosts=list(proxies))  # type: ignore[arg-type,assignment]
    return app


def _early_routes(configuration: Configuration) -> dict[str, ASGIApp]:
    settings: Settings = configuration.settings
    limit = settings.gateway_max_body_bytes
    admission = Admission.of(settings.gateway_max_waiting_events, limit)
    routes: dict[str, ASGIApp] = {
        webhooks.PATH: webhooks.WebhookEndpoint(settings.webhook_secrets, limit, admission)
    }
    if configuration.transforms is not None:
        routes[records.PATH] = records.RecordsEndpoint.of(
            settings.hook_keys, settings.gateway_max_transform_bytes
        )
    return routes
