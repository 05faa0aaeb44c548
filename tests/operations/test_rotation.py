"""Webhook secrets are rotated by rolling restarts, and no delivery is lost."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx

from gateway.dev.stack import Stack
from tests.dashboard import open_dashboard
from tests.delivery import Sender, build_customer, build_event
from tests.operations.seller import Seller

_NEW = "whsec_the_new_one"


@asynccontextmanager
async def _trading(seller: Seller) -> AsyncIterator[None]:
    """Make a customer as soon as the last one is delivered, or in a moment, until the end."""
    is_over = asyncio.Event()

    async def trade() -> None:
        while not is_over.is_set():
            await seller.create("customers")
            await seller.control("GET", "deliveries?wait=0.05&limit=0")

    trading = asyncio.create_task(trade())
    yield
    is_over.set()
    await trading
    await seller.wait_delivered()


async def _restart_with(stack: Stack, *secrets: str) -> None:
    stack.gateway.env["STRIPE_WEBHOOK_SECRETS"] = ",".join(secrets)
    await asyncio.to_thread(stack.gateway.restart)


async def test_rotation_loses_no_delivery(
    http: httpx.AsyncClient,
    fresh_stack: Callable[..., Stack],
) -> None:
    """From the old secret by both to the new one, every event of a busy account is stored."""
    stack = await asyncio.to_thread(fresh_stack)
    seller = Seller(http, stack.simulator)
    await seller.switch(retry_first=0.05, retry_ceiling=0.2, most_attempts=200)
    old = stack.plan.stripe.webhook_secrets[0]
    url = f"{stack.gateway.url}/webhooks/stripe"

    async with _trading(seller):
        await _restart_with(stack, old, _NEW)
        [closing] = await seller.list("webhook_endpoints")
        await seller.control("POST", "webhook_endpoints", {"url": url, "secret": _NEW})
        await seller.create(f"webhook_endpoints/{closing['id']}", disabled="true")
    # All deliveries signed with the old secret have arrived: it may go.
    async with _trading(seller):
        await _restart_with(stack, _NEW)

    made = (await seller.count("customer"))["customer"]
    assert made > 0
    async with open_dashboard(stack.pocketbase) as dashboard:
        assert await dashboard.count("customers") == made
        assert await dashboard.count("stripe_events", "type = 'customer.created'") == made
    forged = Sender(http, stack.gateway.url, old)
    event = build_event("customer.created", build_customer("nobody"))
    assert (await forged.send(event)).status_code == 400
