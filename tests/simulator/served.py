"""A simulator served on a free loopback port, Stripe's own SDK, and a webhook receiver."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import stripe
import uvicorn

from stripe_simulator.cli import build
from stripe_simulator.http.application import application
from stripe_simulator.settings import Settings
from stripe_simulator.simulator import Simulator, tls

KEY = "sk_test_123456789012"
SECRET = "whsec_receiver"


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """Serve an ASGI application on a free port; gives its base address."""
    config = uvicorn.Config(app, port=0, log_level="critical", date_header=False)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await server.shutdown()


@dataclass
class Running:
    """A served simulator and ways to reach it."""

    simulator: Simulator
    base: str
    http: httpx.AsyncClient
    sdk: stripe.StripeClient

    async def control(self, path: str, /, **given: Any) -> Any:
        """POST to the control API."""
        answer = await self.http.post(f"/_simulator/{path}", json=given)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def delivered(self, seconds: float = 10) -> dict[str, Any]:
        """Wait until every delivery is made; gives the log."""
        address = f"/_simulator/deliveries?wait={seconds}&limit=100000"
        result: dict[str, Any] = (await self.http.get(address, timeout=seconds + 5)).json()
        assert result["idle"]
        return result


@asynccontextmanager
async def run(**options: Any) -> AsyncIterator[Running]:
    """Serve a simulator that holds everything against the contract."""
    options = {"contract": True, "seed_catalogue": True, "frozen_clock": True} | options
    simulator = build(**options)
    async with (
        serving(application(simulator)) as base,
        httpx.AsyncClient(base_url=base, trust_env=False, verify=tls()) as client,
        stripe_sdk(base) as sdk,
    ):
        object.__setattr__(simulator.world, "settings", Settings(public_url=base))
        yield Running(simulator, base, client, sdk)


@asynccontextmanager
async def stripe_sdk(base: str, key: str = KEY) -> AsyncIterator[stripe.StripeClient]:
    """Stripe's SDK, pointed at a simulator."""
    transport = stripe.HTTPXClient(verify_ssl_certs=False)
    addresses: Any = {"api": base}
    try:
        yield stripe.StripeClient(
            key, http_client=transport, base_addresses=addresses, max_network_retries=0
        )
    finally:
        await transport.close_async()


@dataclass
class Receiver:
    """Deliveries of a webhook endpoint, each verified by Stripe's own SDK."""

    url: str
    events: list[dict[str, Any]] = field(default_factory=list)
    #: Statuses to answer with, one a delivery; 200 when there are none left.
    statuses: list[int] = field(default_factory=list)

    @property
    def types(self) -> list[str]:
        """The types of the events, in the order of arrival."""
        return [event["type"] for event in self.events]


@asynccontextmanager
async def receiving(secret: str = SECRET) -> AsyncIterator[Receiver]:
    """Receive webhooks on a free port."""
    receiver = Receiver("")

    async def app(scope: Any, receive: Callable[[], Awaitable[Any]], send: Any) -> None:
        body, more = b"", scope["type"] == "http"
        while more:
            message = await receive()
            body, more = body + message["body"], message.get("more_body", False)
        header = dict(scope["headers"])[b"stripe-signature"].decode()
        assert stripe.WebhookSignature.verify_header(body.decode(), header, secret, 300)
        receiver.events.append(json.loads(body))
        status = receiver.statuses.pop(0) if receiver.statuses else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    config_app: Any = app
    async with serving(without_lifespan(config_app)) as base:
        receiver.url = f"{base}/webhooks"
        yield receiver


def without_lifespan(app: Any) -> Any:
    """An application that answers the server's start and stop."""

    async def whole(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            return await app(scope, receive, send)
        for kind in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{kind}.complete"})
        return None

    return whole
