"""Puts the parts together: one FastAPI app from the settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette._utils import get_route_path
from starlette.types import Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from gateway import __version__
from gateway.admission import Admission
from gateway.billing.endpoint import router as billing_router
from gateway.body_limit import BodyLimitMiddleware
from gateway.checkout.endpoint import orders as orders_router
from gateway.checkout.endpoint import router as checkout_router
from gateway.checkout.endpoint import setups as setups_router
from gateway.configuration import Configuration
from gateway.cors import add_cors
from gateway.docs import add_docs
from gateway.health.endpoint import router as health_router
from gateway.lifespan import run_services
from gateway.openapi import SERVERS, complete
from gateway.problems import ErrorMiddleware, add_problem_handlers
from gateway.rate_limits import RateLimitMiddleware
from gateway.records import endpoint as records
from gateway.records.direct import router as records_router
from gateway.request_id import RequestIdMiddleware
from gateway.settings import Settings, read_settings
from gateway.webhooks import endpoint as webhooks
from gateway.webhooks.admin.endpoint import router as admin_router

_DESCRIPTION = """
The business logic beside PocketBase. Frontends talk to PocketBase for sign-in, records, files and
realtime, and come here for what it can't do. Results arrive as PocketBase records.

Errors are `application/problem+json` (RFC 9457) with PocketBase's `message` and `data` members;
`Problem` lists their types.
"""


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Hold the services that all requests share."""
    async with run_services(app.state.configuration) as app.state.services:
        yield


def without_body(send: Send) -> Send:
    """Return a `send` that omits the body: the answer to HEAD."""

    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_head


class Gateway(FastAPI):
    """The FastAPI app, with the endpoints before it that much depends on."""

    def __init__(self, configuration: Configuration, **options: Any) -> None:
        super().__init__(**options)
        settings = configuration.settings
        self.state.configuration = configuration
        self._before = {
            webhooks.PATH: RequestIdMiddleware(
                webhooks.WebhookEndpoint(
                    settings.webhook_secrets,
                    settings.gateway_max_body_bytes,
                    Admission(settings.gateway_max_waiting_events),
                )
            )
        }
        if configuration.transforms is not None:
            self._before[records.PATH] = RequestIdMiddleware(
                records.RecordsEndpoint.of(settings.hook_keys, settings.gateway_max_transform_bytes)
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        if self.root_path:
            scope["root_path"] = self.root_path
        path = get_route_path(scope)
        if path.endswith("/") and path.strip("/"):
            # A redirect would lose the body of a webhook.
            scope = {**scope, "path": scope["path"].rstrip("/")}
            path = path.rstrip("/")
        if endpoint := self._before.get(path):
            scope["app"] = self
            await endpoint(scope, receive, send)
        elif scope["method"] == "HEAD":
            await super().__call__({**scope, "method": "GET"}, receive, without_body(send))
        else:
            await super().__call__(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, with what FastAPI does not route, without what is never sent."""
        if self.openapi_schema is None:
            complete(super().openapi(), self.state.configuration.transforms)
        return super().openapi()


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the gateway.

    Args:
        settings: read from the environment when not given.

    Raises:
        SettingsError: a setting is missing or wrong.
        MirrorIncomplete: a collection lacks a column that its registry entry needs.
    """
    configuration = Configuration.of(settings or read_settings())
    settings = configuration.settings
    app = Gateway(
        configuration,
        title="PocketBase gateway",
        version=__version__,
        description=_DESCRIPTION,
        servers=SERVERS,
        lifespan=_lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    add_problem_handlers(app)
    app.include_router(orders_router)
    app.include_router(setups_router)
    app.include_router(checkout_router)
    app.include_router(billing_router)
    app.include_router(health_router)
    app.include_router(admin_router)
    if configuration.transforms is not None:
        app.include_router(records_router)
    add_docs(app)
    app.add_middleware(ErrorMiddleware)
    app.add_middleware(RateLimitMiddleware, limits=configuration.rate_limits)
    app.add_middleware(BodyLimitMiddleware, limit=settings.gateway_max_body_bytes)
    add_cors(app, settings)
    app.add_middleware(RequestIdMiddleware)
    if settings.gateway_trusted_proxies:
        proxies = list(settings.gateway_trusted_proxies)
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=proxies)
    return app
