"""Two releases of an app with handlers that send each of their attempts to the effect log."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from pydantic import BaseModel

from gateway import Batch, Gateway, HandlerContext, JobContext, RecordChange
from tests.faults.short_leases import shorten_leases
from tests.http_client import open_client

shorten_leases()


@asynccontextmanager
async def connect(app: Gateway) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    """Open a client of the effect log."""
    async with open_client() as client:
        yield {"client": client}


old = Gateway(lifespan=connect)
new = Gateway(lifespan=connect)


async def send(client: httpx.AsyncClient, **effect: Any) -> None:
    """Cause an effect outside PocketBase."""
    effect["replica"] = os.environ["REPLICA"]
    (await client.post(os.environ["EFFECT_LOG"], json=effect)).raise_for_status()


@old.after("tickets", {"create", "update"})
@new.after("tickets", {"create", "update"})
async def ship(change: RecordChange, context: HandlerContext) -> Batch:
    """Run at least once per change, in the order of a ticket's changes; return one write."""
    number = change.record["number"]
    client = context.state["client"]
    await send(client, handler="ship", key=context.key, ticket=change.id, number=number)
    batch = context.pocketbase.batch()
    batch.collection("shipments").create({"ticket": change.id, "number": number})
    return batch


@old.after("tickets", {"create", "update"}, at_most_once=True)
@new.after("tickets", {"create", "update"}, at_most_once=True)
async def charge(change: RecordChange, context: HandlerContext) -> None:
    """Run at most once per change."""
    client, number = context.state["client"], change.record["number"]
    await send(client, handler="charge", key=context.key, ticket=change.id, number=number)


class Announcement(BaseModel):
    """The input of the new release's job."""

    number: int


@new.job()
async def announce(entry: Announcement, job: JobContext) -> None:
    """Run at least once, by the new release only."""
    client = job.state["client"]
    await send(client, handler="announce", key=job.key, ticket="", number=entry.number)
