"""The app inside of another one, and below a path."""

import sys
import time
from collections.abc import Callable

import httpx

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.stack import Stack
from tests.deadline import wait_until
from tests.delivery import Sender, build_event
from tests.frontend import User
from tests.problem import read_problem

_APP = """
from contextlib import asynccontextmanager
from fastapi import FastAPI, Request
from gateway import CurrentUser, Event, EventContext, Gateway

@asynccontextmanager
async def lifespan(app):
    yield {"greeting": "hello"}

app = Gateway(lifespan=lifespan)

@app.on("purchase.completed")
async def fulfil(event: Event, context: EventContext) -> None:
    with open("notes", "a") as notes:
        notes.write(f"{context.state['greeting']} {event.id}")

@app.get("/whoami")
async def whoami(user: CurrentUser, request: Request) -> str:
    return f"{request.state.greeting} {user.id}"

"""
_LIFESPAN = """
@asynccontextmanager
async def run(outer):
    async with app.router.lifespan_context(app):
        yield

outer = FastAPI(lifespan=run)
outer.mount("/gateway", app)
"""
_NO_LIFESPAN = """
outer = FastAPI()
outer.mount("/gateway", app)
"""
_COMMAND = (sys.executable, "-m", "uvicorn", "app:outer", "--port=PORT")


def _start(start: Callable[..., GatewayProcess], code: str, **env: str) -> GatewayProcess:
    # Without a secret it registers no transforms, and takes those of the shared app from no one.
    return start("app.py", code, *_COMMAND, GATEWAY_HOOK_SECRETS="", **env)


async def _check(
    gateway: GatewayProcess, stack: Stack, user: User, http: httpx.AsyncClient
) -> None:
    """Webhooks, our endpoints, the team's, and the state of the lifespan."""
    url = f"{gateway.url}/gateway"
    sender = Sender(http, url, stack.plan.stripe.webhook_secrets[0])
    session = {
        "id": f"cs_test_{time.time_ns()}",
        "object": "checkout.session",
        "mode": "payment",
        "payment_status": "paid",
    }
    event = build_event("checkout.session.completed", session)
    assert (await sender.send(event)).json()["outcome"] == "applied"
    assert (await http.get(f"{url}/ready")).is_success
    read_problem(await http.get(f"{url}/whoami"), 401)
    answer = await http.get(f"{url}/whoami", headers=user.bearer)
    assert answer.json() == f"hello {user.id}"
    notes = gateway.cwd / "notes"
    wait_until(lambda: notes.exists() and event["id"] in notes.read_text(), 20)
    assert notes.read_text().startswith("hello evt_")


async def test_an_outer_app_runs_the_lifespan(
    start: Callable[..., GatewayProcess], stack: Stack, user: User, http: httpx.AsyncClient
) -> None:
    """As docs/operations.md says."""
    gateway = _start_healthy(start, _APP + _LIFESPAN)
    await _check(gateway, stack, user, http)


async def test_an_outer_app_that_does_not_loses_nothing(
    start: Callable[..., GatewayProcess], stack: Stack, user: User, http: httpx.AsyncClient
) -> None:
    """The gateway starts at its first request, says so, and ends with the outer app."""
    gateway = _start_healthy(start, _APP + _NO_LIFESPAN)
    await _check(gateway, stack, user, http)
    gateway.stop()
    log = gateway.log.read_text()
    assert "mounted without its lifespan" in log
    assert "Traceback" not in log


def _start_healthy(start: Callable[..., GatewayProcess], code: str) -> GatewayProcess:
    health = '@outer.get("/health")\nasync def health() -> None: ...\n'
    return _start(start, f"{code}\n{health}")
