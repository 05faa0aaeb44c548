"""Puts the parts together: one FastAPI app from the settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.types import Receive, Scope, Send

from gateway import __version__
from gateway.billing.endpoint import router as billing_router
from gateway.body_limit import BodyLimitMiddleware
from gateway.checkout.endpoint import router as checkout_router
from gateway.docs import add_docs
from gateway.health.endpoint import router as health_router
from gateway.pocketbase import PocketBase
from gateway.problems import add_problem_handlers, problem_responses
from gateway.request_id import RequestIdMiddleware
from gateway.settings import Settings, read_settings
from gateway.stripe_api import open_session, open_stripe
from gateway.webhooks import endpoint as webhooks
from gateway.webhooks.admin.desk import open_desk
from gateway.webhooks.admin.endpoint import router as admin_router
from gateway.webhooks.admission import Admission
from gateway.webhooks.inbox import Inbox
from gateway.webhooks.readings import Readings
from gateway.webhooks.settlement import Settlement

_DESCRIPTION = """
The business logic beside PocketBase. Frontends talk to PocketBase for sign-in, records, files and
realtime, and come here for what it can't do. Results arrive as PocketBase records.

Errors are `application/problem+json` (RFC 9457) with PocketBase's `message` and `data` members.
"""


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Hold the connections that all requests share; finish what is being written before closing."""
    settings: Settings = app.state.settings
    async with PocketBase(settings) as pocketbase, open_session(settings) as session:
        app.state.pocketbase = pocketbase
        app.state.stripe = client = open_stripe(settings, session)
        app.state.apply_reading = Readings(pocketbase, client).apply
        settlement = Settlement(pocketbase, client)
        app.state.inbox = inbox = Inbox(pocketbase, settlement)
        async with open_desk(settings, pocketbase, client, settlement) as app.state.desk:
            yield
        await inbox.close()


class Gateway(FastAPI):
    """The FastAPI app, with the webhook endpoint before it."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        super().__init__(**options)
        self.state.settings = settings
        self._receive_event = RequestIdMiddleware(
            webhooks.WebhookEndpoint(
                settings.webhook_secrets,
                settings.gateway_max_body_bytes,
                Admission(settings.gateway_max_waiting_events),
            )
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["path"] == webhooks.PATH:
            scope["app"] = self
            await self._receive_event(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, with what FastAPI does not route, without what is never sent."""
        if self.openapi_schema is None:
            document = super().openapi()
            _drop_validation_errors(document)
            document["paths"][webhooks.PATH] = webhooks.openapi(problem_responses)
        return super().openapi()


def _drop_validation_errors(document: dict[str, Any]) -> None:
    """FastAPI announces 422s in a form of its own; ours are problems with status 400."""
    for item in document["paths"].values():
        for operation in item.values():
            operation["responses"].pop("422", None)
    for schema in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(schema, None)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the gateway.

    Args:
        settings: read from the environment when not given.

    Raises:
        SettingsError: a setting is missing or wrong.
    """
    settings = settings or read_settings()
    app = Gateway(
        settings,
        title="PocketBase gateway",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    add_problem_handlers(app)
    app.include_router(checkout_router)
    app.include_router(billing_router)
    app.include_router(health_router)
    app.include_router(admin_router)
    add_docs(app)
    app.add_middleware(BodyLimitMiddleware, limit=settings.gateway_max_body_bytes)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(settings.gateway_frontend_origins),
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key"],
        max_age=3600,
    )
    app.add_middleware(RequestIdMiddleware)
    return app
