"""`Gateway`, a FastAPI application with the gateway's endpoints, and `Router`, for its parts."""

import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import cached_property
from inspect import isawaitable
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette._utils import get_route_path
from starlette.types import ASGIApp, Lifespan, Message, Receive, Scope, Send

from gateway.admin.endpoint import router as admin_router
from gateway.admin.work import router as work_router
from gateway.app.closed_routes import leave_out, list_closed
from gateway.app.configuration import Configuration
from gateway.app.declarations import Declarations, Declaring
from gateway.app.late_start import LateStart
from gateway.app.lifespan import open_services, run_background_work
from gateway.app.middleware import wrap_inside, wrap_outside
from gateway.app.openapi import SERVERS, complete
from gateway.app.optional_tokens import show_optional_tokens
from gateway.app.shadowed_routes import require_reachable
from gateway.billing.endpoint import router as billing_router
from gateway.checkout.endpoint import router as checkout_router
from gateway.checkout.endpoint import setups as setups_router
from gateway.health.endpoint import router as health_router
from gateway.health.metrics_endpoint import router as metrics_router
from gateway.http.docs import add_docs
from gateway.http.head_response import omit_body
from gateway.http.problems import add_problem_handlers
from gateway.jobs.declaration import index_jobs
from gateway.jobs.start_routes import add_job_routes
from gateway.services import Services
from gateway.settings import Settings, read_settings_of
from gateway.start_error import StartError
from gateway.tracing import hide_request_values, read_options, require_installed
from gateway.transforms.records_endpoint import router as records_router
from gateway.transforms.table import Table
from gateway.version import __version__

_DESCRIPTION = """
The business logic beside PocketBase. Frontends talk to PocketBase for sign-in, records, files and
realtime, and come here for what it can't do. Results arrive as PocketBase records.

Errors are `application/problem+json` (RFC 9457) with PocketBase's `message` and `data` members;
`Problem` lists their types.
"""

#: Ours come first, so that no path of a team's hides them.
_ROUTERS = (
    setups_router,
    checkout_router,
    billing_router,
    health_router,
    metrics_router,
    admin_router,
    work_router,
    records_router,
)
_DEFAULTS: Mapping[str, Any] = {
    "title": "PocketBase gateway",
    "version": __version__,
    "description": _DESCRIPTION,
    "servers": SERVERS,
    # A redirect would lose the body of a webhook.
    "redirect_slashes": False,
    "redoc_url": None,
}


class Router(APIRouter, Declaring):
    """A FastAPI ``APIRouter`` with the decorators of `Gateway`.

    ``app.include_router(router)`` registers its endpoints and everything else that it declares; a
    prefix concerns the endpoints only. A plug-in is a module with a `Router`.
    """

    def __init__(self, **options: Any) -> None:
        """Accept what ``APIRouter`` accepts."""
        super().__init__(**options)
        self.declarations = Declarations()


class Gateway(FastAPI, Declaring):
    """A FastAPI application with the gateway's endpoints, clients and background work.

    Everything of FastAPI works as usual. The settings are read when the application starts, so
    importing a module with a `Gateway` needs no environment.
    """

    def __init__(
        self,
        *,
        settings: Settings | type[Settings] | None = None,
        lifespan: Lifespan[Any] | None = None,
        **options: Any,
    ) -> None:
        """Create an application; nothing is opened or read yet.

        Args:
            settings: a subclass of `Settings` to read from the environment, or an instance; by
                default `Settings`.
            lifespan: runs with the clients open and before background work begins. Transforms,
                handlers and requests receive the mapping that it yields as ``state``.
            options: what ``FastAPI`` accepts.
        """
        self.declarations = Declarations()
        self._settings = settings or Settings
        self._is_worker = False
        self._lifespans: list[Lifespan[Any]] = [lifespan or self._run_event_handlers]
        self._late_start = LateStart(lambda: self._run(self))
        has_own_docs = "docs_url" in options
        super().__init__(
            **{**_DEFAULTS, "telemetry": read_options(), "docs_url": None, **options},
            lifespan=self._run,
        )
        add_problem_handlers(self)
        self._error_handler = self.exception_handlers[Exception]
        self.exception_handlers.update(options.get("exception_handlers") or {})
        self._job_routes = APIRouter(tags=["jobs"])
        for router in (*_ROUTERS, self._job_routes):
            self.include_router(router)
        if not has_own_docs and self.openapi_url:
            add_docs(self)
        self._own_routes = tuple(self.routes)

    @cached_property
    def configuration(self) -> Configuration:
        """The settings and declarations, read and checked at the first use.

        Raises:
            StartError: a setting or a declaration is wrong.
        """
        require_installed()
        settings = self._settings
        if isinstance(settings, type):
            settings = read_settings_of(settings)
        found = Configuration.of(settings, self.collect_declarations())
        add_job_routes(self._job_routes, found.jobs.values())
        require_reachable(
            self._own_routes, [each for each in self.routes if each not in self._own_routes]
        )
        return found

    @property
    def settings_class(self) -> type[Settings]:
        """The class of the settings."""
        return self._settings if isinstance(self._settings, type) else type(self._settings)

    @property
    def settings(self) -> Settings:
        """The settings, read at the first use.

        Raises:
            StartError: see `configuration`.
        """
        return self.configuration.settings

    @property
    def services(self) -> Services:
        """The clients, while the application runs.

        Raises:
            RuntimeError: the lifespan has not begun, or has ended.
        """
        found: Services | None = getattr(self.state, "services", None)
        if found is None:
            raise RuntimeError("The gateway has not started: run the application's lifespan.")
        return found

    def collect_declarations(self) -> Declarations | None:
        """Return what the application and the routers that it includes declare."""
        found = Declarations()
        found.extend(self.declarations)
        for router in _find_routers(self.routes, set()):
            found.extend(router.declarations)
        return found

    def include_router(self, router: APIRouter, **options: Any) -> None:
        """Include a router as FastAPI does, with everything that it declares."""
        super().include_router(router, **options)
        # FastAPI would run the router's lifespan after our background work has begun.
        self._lifespans.append(router.lifespan_context)
        self.router.lifespan_context = self._run

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, with the webhook and a path per collection of a transform.

        Once the settings are read, routes that they close are left out.

        Raises:
            InvalidRegistration: two transforms are for the same write, or two jobs have one name.
        """
        if self.openapi_schema is None:
            declared = self.collect_declarations() or Declarations()
            add_job_routes(self._job_routes, index_jobs(declared.jobs).values())
            document = super().openapi()
            show_optional_tokens(document, self.routes)
            complete(document, Table.of(declared.transforms))
        document = super().openapi()
        # `gateway openapi` needs no settings, and shows all routes.
        is_configured = "configuration" in self.__dict__
        closed = list_closed(self.configuration.settings) if is_configured else ()
        return leave_out(document, closed) if closed else document

    def build_middleware_stack(self) -> ASGIApp:
        """Build the application of all middleware.

        From the outside: trusted proxies, security headers, the request's id, the team's
        middleware, then the routes of webhooks and hooks, and for all others CORS, our limits,
        closed paths and FastAPI's own.
        """
        team = self.user_middleware
        try:
            handlers = self.exception_handlers
            is_ours = handlers.get(Exception) is self._error_handler and 500 not in handlers
            docs = ("/docs", self.openapi_url, self.docs_url, self.redoc_url)
            self.user_middleware = wrap_inside(
                self.configuration, docs=[path for path in docs if path], answers_errors=is_ours
            )
            stack = super().build_middleware_stack()
        finally:
            self.user_middleware = team
        return wrap_outside(stack, self.configuration, team)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI has it."""
        if scope["type"] == "lifespan":
            await self._serve_lifespan(scope, receive, send)
        elif scope["type"] == "http":
            await self._serve_http(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def _serve_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "app" in scope:
            scope = await self._enter_mount(scope)
        if self.root_path:
            scope["root_path"] = self.root_path
        path = get_route_path(scope)
        if path.endswith("/") and path.strip("/"):
            # A redirect would lose the body of a webhook.
            scope = {**scope, "path": scope["path"].rstrip("/")}
        if scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, omit_body(send)
        await super().__call__(scope, receive, send)

    async def _serve_lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Report what keeps us from starting in its own sentence, without a traceback."""

        async def send_sentence(message: Message) -> None:
            error = sys.exc_info()[1]
            if message["type"] == "lifespan.startup.failed" and isinstance(error, StartError):
                message = {**message, "message": str(error)}
            await send(message)

        try:
            self.configuration  # noqa: B018
        except StartError:
            await receive()
            await send_sentence({"type": "lifespan.startup.failed"})
            return
        with suppress(StartError):
            await super().__call__(scope, receive, send_sentence)

    @asynccontextmanager
    async def run_as_worker(self) -> AsyncIterator[None]:
        """Run background work while the block runs, without requests: `gateway worker`."""
        self._is_worker = True
        async with self._run(self):
            yield

    @asynccontextmanager
    async def _run(self, _: Any) -> AsyncIterator[Mapping[str, Any]]:
        """Open the services, run the team's lifespan, then the background work."""
        state: dict[str, Any] = {}
        hide_request_values()
        async with AsyncExitStack() as stack:
            services = await stack.enter_async_context(open_services(self.configuration, state))
            self.state.services = services
            stack.callback(setattr, self.state, "services", None)
            for lifespan in self._lifespans:
                yielded: Mapping[str, Any] | None = await stack.enter_async_context(lifespan(self))
                state.update(yielded or {})
            await stack.enter_async_context(
                run_background_work(services, self.configuration, is_worker=self._is_worker)
            )
            yield state

    @asynccontextmanager
    async def _run_event_handlers(self, _: Any) -> AsyncIterator[None]:
        """Run FastAPI's ``on_startup`` and ``on_shutdown``, where no lifespan is given."""
        await _call_all(self.router.on_startup)
        try:
            yield
        finally:
            await _call_all(self.router.on_shutdown)

    async def _enter_mount(self, scope: Scope) -> Scope:
        """Start at the first request if the outer application does not run our lifespan."""
        if getattr(self.state, "services", None) is None:
            await self._late_start.ensure()
        return {**scope, "state": {**scope.get("state", {}), **self.services.state}}


async def _call_all(handlers: Iterable[Callable[[], Any]]) -> None:
    for handler in handlers:
        returned = handler()
        if isawaitable(returned):
            await returned


def _find_routers(routes: Iterable[Any], seen: set[int]) -> Iterator[Router]:
    """Yield every included router once; those in FastAPI's own routers as well."""
    for route in routes:
        router = getattr(route, "original_router", None)
        if router is None or id(router) in seen:
            continue
        seen.add(id(router))
        if isinstance(router, Router):
            yield router
        yield from _find_routers(router.routes, seen)
