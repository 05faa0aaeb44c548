"""The app: ``GATEWAY_APP=fulfilment.app:app``; README.md explains it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from fulfilment.orders import describe, fulfil, read_addresses
from fulfilment.services import Service
from gateway import Event, EventContext, Gateway


@asynccontextmanager
async def lifespan(app: Gateway) -> AsyncIterator[Mapping[str, Any]]:
    """Open the connections to both services."""
    async with httpx2.AsyncClient(timeout=5.0) as http:
        yield {name: Service(http, url) for name, url in read_addresses().items()}


app = Gateway(lifespan=lifespan)
app.job(who="superuser", tries=50)(fulfil)


@app.on("purchase.completed")
async def start_fulfilment(event: Event, context: EventContext) -> None:
    """Start the job of a paid Checkout; a repeated call finds the job that is there."""
    order = describe(event.object)
    await app.services.jobs.start(
        fulfil, order, user=event.user, idempotency_key=f"order:{order.id}"
    )
