"""Puts the parts together: one FastAPI app from the settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI
from starlette._utils import get_route_path
from starlette.types import Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from gateway import __version__
from gateway.admission import Admission
from gateway.background import run_meanwhile
from gateway.billing.endpoint import router as billing_router
from gateway.billing.usage import UsageRecorder
from gateway.body_limit import BodyLimitMiddleware
from gateway.checkout.customer_tasks import CustomerTasks
from gateway.checkout.endpoint import orders as orders_router
from gateway.checkout.endpoint import router as checkout_router
from gateway.checkout.endpoint import setups as setups_router
from gateway.checkout.organization_check import OrganizationCheck
from gateway.checkout.till import Till
from gateway.cors import add_cors
from gateway.docs import add_docs
from gateway.follow_ups.follow_ups import FollowUps
from gateway.health.endpoint import router as health_router
from gateway.health.readiness import PocketBaseReadiness
from gateway.health.shared_check import SharedCheck
from gateway.mirror.registry import REGISTRY
from gateway.mirror.requirements import require_columns
from gateway.notifications.announcer import Announcer, open_announcer
from gateway.notifications.desk import send_notifications
from gateway.notifications.templates import open_templates
from gateway.openapi import SERVERS, complete
from gateway.plans import read_plans
from gateway.pocketbase import PocketBase
from gateway.problems import ErrorMiddleware, add_problem_handlers
from gateway.rate_limits import RateLimitMiddleware, RateLimits
from gateway.records import endpoint as records
from gateway.records.direct import router as records_router
from gateway.records.judge import Judge
from gateway.records.registration import Registration
from gateway.records.table import Table, load_table
from gateway.records.transform import Dependencies
from gateway.request_id import RequestIdMiddleware
from gateway.seats.seats import SeatKeeper
from gateway.settings import Settings, read_settings
from gateway.stripe_api import PROBE, open_stripe, read_object
from gateway.vocabulary import COLLECTIONS
from gateway.webhooks import endpoint as webhooks
from gateway.webhooks.admin.desk import open_desk
from gateway.webhooks.admin.endpoint import router as admin_router
from gateway.webhooks.inbox import Inbox
from gateway.webhooks.readings import Readings
from gateway.webhooks.settlement import Settlement
from gateway.webhooks.turns import Turns

_DESCRIPTION = """
The business logic beside PocketBase. Frontends talk to PocketBase for sign-in, records, files and
realtime, and come here for what it can't do. Results arrive as PocketBase records.

Errors are `application/problem+json` (RFC 9457) with PocketBase's `message` and `data` members;
`Problem` lists their types.
"""


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Hold the connections that all requests share; finish what is being written before closing."""
    settings: Settings = app.state.settings
    async with PocketBase(settings) as pocketbase, open_stripe(settings) as client:
        app.state.pocketbase = pocketbase
        app.state.pocketbase_readiness = PocketBaseReadiness(pocketbase)
        app.state.stripe = client
        app.state.checks.append(client.key_check.check)
        app.state.usage = UsageRecorder(pocketbase, client)
        turns = Turns()
        app.state.apply_reading = Readings(pocketbase, client, turns).apply
        settlement = Settlement(
            pocketbase, client, turns, own_account=settings.gateway_stripe_account
        )
        announcer: Announcer | None = app.state.announcer
        app.state.inbox = inbox = Inbox(pocketbase, settlement, announcer)
        app.state.till = Till(
            pocketbase,
            client,
            app.state.apply_reading,
            app.state.plans,
            app.state.rate_limits,
            next(iter(settings.gateway_portal_configurations), ""),
        )
        tasks = CustomerTasks(
            pocketbase,
            client,
            settings.gateway_on_user_delete,
            OrganizationCheck(pocketbase),
        )
        seats = SeatKeeper(pocketbase, client, app.state.plans, settings.gateway_seats_seconds)
        async with (
            open_desk(settings, pocketbase, client, settlement, announcer) as app.state.desk,
            send_notifications(settings, pocketbase, announcer, app.state.templates, client),
            _open_transforms(app, settings, pocketbase),
            run_meanwhile(tasks.run()),
            run_meanwhile(settlement.own_account.learn()),
            run_meanwhile(seats.run()),
            run_meanwhile(FollowUps(pocketbase).run()),
            run_meanwhile(client.key_check.watch(partial(read_object, client, PROBE))),
        ):
            yield
        await inbox.close()


@asynccontextmanager
async def _open_transforms(
    app: FastAPI, settings: Settings, pocketbase: PocketBase
) -> AsyncIterator[None]:
    table: Table | None = app.state.table
    if table is None:
        yield
        return
    async with table.open(Dependencies(pocketbase, settings)) as dependencies:
        app.state.judge = Judge(table.index(), dependencies)
        registration = Registration(settings, pocketbase, table)
        app.state.checks.append(SharedCheck(registration.check).run)
        async with registration.keep():
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

    def __init__(self, settings: Settings, table: Table | None, **options: Any) -> None:
        super().__init__(**options)
        self.state.settings = settings
        self.state.rate_limits = RateLimits(settings)
        self.state.plans = read_plans(settings.gateway_plans)
        self.state.table = table
        #: Further readiness checks; see `read_readiness`.
        self.state.checks = []
        self._before = {
            webhooks.PATH: RequestIdMiddleware(
                webhooks.WebhookEndpoint(
                    settings.webhook_secrets,
                    settings.gateway_max_body_bytes,
                    Admission(settings.gateway_max_waiting_events),
                )
            )
        }
        if table is not None:
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
            complete(super().openapi(), self.state.table)
        return super().openapi()


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the gateway.

    Args:
        settings: read from the environment when not given.

    Raises:
        SettingsError: a setting is missing or wrong.
        MirrorIncomplete: a collection lacks a column that its registry entry needs.
    """
    require_columns(REGISTRY, COLLECTIONS)
    settings = settings or read_settings()
    app = Gateway(
        settings,
        load_table(settings),
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
    app.state.announcer = open_announcer(settings)
    app.state.templates = open_templates(settings)
    add_problem_handlers(app)
    app.include_router(orders_router)
    app.include_router(setups_router)
    app.include_router(checkout_router)
    app.include_router(billing_router)
    app.include_router(health_router)
    app.include_router(admin_router)
    if app.state.table is not None:
        app.include_router(records_router)
    add_docs(app)
    app.add_middleware(ErrorMiddleware)
    app.add_middleware(RateLimitMiddleware, limits=app.state.rate_limits)
    app.add_middleware(BodyLimitMiddleware, limit=settings.gateway_max_body_bytes)
    add_cors(app, settings)
    app.add_middleware(RequestIdMiddleware)
    if settings.gateway_trusted_proxies:
        proxies = list(settings.gateway_trusted_proxies)
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=proxies)
    return app
