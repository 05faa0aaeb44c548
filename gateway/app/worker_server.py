"""The endpoints of `gateway worker`: /health, /ready and /metrics."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from fastapi import FastAPI

from gateway.app.server import build_config
from gateway.background import run_in_background
from gateway.health.endpoint import router as health_router
from gateway.health.metrics_endpoint import router as metrics_router
from gateway.http.problems import add_problem_handlers
from gateway.http.request_id import RequestIdMiddleware
from gateway.http.security_headers import SecurityHeadersMiddleware
from gateway.services import Services


@asynccontextmanager
async def serve_state(services: Services, host: str, port: int) -> AsyncIterator[None]:
    """Serve the process's health and metrics while the block runs."""
    app = FastAPI(openapi_url=None)
    app.state.services = services
    add_problem_handlers(app)
    for router in (health_router, metrics_router):
        app.include_router(router)
    wrapped = SecurityHeadersMiddleware(RequestIdMiddleware(app))
    server = _Server(build_config(wrapped, host=host, port=port, lifespan="off"))
    async with run_in_background(server.serve()):
        yield


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to `gateway worker`."""
        yield
