"""The ASGI application of a simulator: API, pages and control."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from stripe_simulator.http import control, pages
from stripe_simulator.http.endpoint import Endpoint
from stripe_simulator.simulator import Simulator


def application(simulator: Simulator) -> ASGIApp:
    """Build the application; deliveries begin when it starts."""
    endpoint = Endpoint(simulator.api, simulator.faults, simulator.rate_limit, simulator.requests)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with simulator.running():
            yield

    others = Starlette(
        routes=[*control.routes(simulator), *pages.routes(simulator)], lifespan=lifespan
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        api = scope["type"] == "http" and scope["path"].startswith(("/v1/", "/v2/"))
        await (endpoint if api else others)(scope, receive, send)
        if scope["type"] == "http" and scope["method"] != "GET":
            simulator.changed.set()

    return app
