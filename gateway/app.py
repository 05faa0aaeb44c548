"""Puts the parts together: one FastAPI app from the settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.openapi.utils import get_openapi
from starlette.routing import Route

from gateway import __version__
from gateway.checkout.endpoint import router as checkout_router
from gateway.docs import add_docs
from gateway.health.endpoint import router as health_router
from gateway.pocketbase import PocketBase, open_session
from gateway.problems import add_problem_handlers, problem_responses
from gateway.request_id import RequestIdMiddleware
from gateway.settings import Settings, read_settings
from gateway.stripe_api import open_stripe
from gateway.webhooks import endpoint as webhooks
from gateway.webhooks.inbox import Inbox
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
    async with open_session(settings) as session:
        app.state.pocketbase = pocketbase = PocketBase(settings, session)
        app.state.stripe = client = open_stripe(settings, session)
        app.state.inbox = inbox = Inbox(
            pocketbase, Settlement(pocketbase, client), settings.gateway_max_waiting_events
        )
        yield
        await inbox.close()


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the gateway.

    Args:
        settings: read from the environment when not given.

    Raises:
        SettingsError: a setting is missing or wrong.
    """
    settings = settings or read_settings()
    app = FastAPI(
        title="PocketBase gateway",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        max_body_size=settings.gateway_max_body_bytes,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.settings = settings
    add_problem_handlers(app)
    receive_event = webhooks.WebhookEndpoint(
        settings.webhook_secrets, settings.gateway_max_body_bytes
    )
    app.router.routes.append(Route(webhooks.PATH, receive_event, methods=["POST"]))
    app.include_router(checkout_router)
    app.include_router(health_router)
    add_docs(app)
    _document_webhooks(app)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(settings.gateway_frontend_origins),
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key"],
        max_age=3600,
    )
    app.add_middleware(RequestIdMiddleware)
    return app


def _document_webhooks(app: FastAPI) -> None:
    """Add the plain ASGI endpoint to the OpenAPI document."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
            )
            document["paths"][webhooks.PATH] = webhooks.openapi(problem_responses)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
