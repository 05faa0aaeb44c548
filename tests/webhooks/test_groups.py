"""Deliveries that arrive together share a write, and a lone one waits for none."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_hex

from gateway.dev.ports import pick_free
from gateway.dev.stack import Stack
from gateway.mirror.conflicts import ConflictResolver
from gateway.mirror.event_change import EventChange, decide
from gateway.pocketbase import PocketBase
from gateway.settings import Settings
from gateway.stripe_api import open_stripe
from gateway.stripe_api.event import parse
from gateway.stripe_api.own_account import OwnAccount
from gateway.webhooks.event_writer import EventWriter
from tests.delivery import build_event
from tests.webhooks.holding_proxy import HoldingProxy


def _plan() -> EventChange:
    item = {"id": f"prod_{token_hex(7)}", "object": "product"}
    return decide(parse(json.dumps(build_event("product.created", item))))


@asynccontextmanager
async def _open(stack: Stack, patience: float) -> AsyncIterator[tuple[EventWriter, HoldingProxy]]:
    """An event writer with held-back commits, and the proxy that holds them."""
    part = stack.pocketbase
    async with HoldingProxy(pick_free(), part.url) as proxy:
        settings = Settings(
            pocketbase_url=proxy.url,
            pocketbase_superuser_email=part.superuser_email,
            pocketbase_superuser_password=part.superuser_password,  # type: ignore[arg-type]
            stripe_secret_key="sk_test_x",  # type: ignore[arg-type]
            stripe_webhook_secrets="whsec_x",  # type: ignore[arg-type]
            gateway_frontend_origins="http://localhost:3000",  # type: ignore[arg-type]
        )
        async with PocketBase(settings) as pocketbase, open_stripe(settings) as client:
            resolver = ConflictResolver(pocketbase, client, OwnAccount(client))
            yield EventWriter(pocketbase, resolver, patience=patience), proxy


def _deliver(event_writer: EventWriter, number: int) -> list[asyncio.Task[str]]:
    return [asyncio.create_task(event_writer.store(_plan())) for _ in range(number)]


async def test_the_next_write_is_as_large_as_the_one_under_way(stack: Stack) -> None:
    """The first is written at once; behind it, a write begins when as many wait as it holds."""
    async with _open(stack, patience=60) as (event_writer, proxy):
        sent = _deliver(event_writer, 1)
        await proxy.hold(1)
        assert not event_writer.has_waited()
        sent += _deliver(event_writer, 6)
        await proxy.hold(2)
        assert event_writer.has_waited()
        sent += _deliver(event_writer, 5)
        proxy.release(0)
        assert await sent[0] == "applied"
        # Five wait behind six that are being written; the sixth brings them on their way.
        sent += _deliver(event_writer, 1)
        await proxy.hold(3)
        proxy.open()
        assert await asyncio.gather(*sent) == ["applied"] * 13
        assert proxy.commits == 3


async def test_who_gave_up_costs_no_write(stack: Stack) -> None:
    """When all deliveries of the next write have gone, it is not made."""
    async with _open(stack, patience=60) as (event_writer, proxy):
        sent = _deliver(event_writer, 1)
        await proxy.hold(1)
        sent += _deliver(event_writer, 3)
        await proxy.hold(2)
        gone = _deliver(event_writer, 2)
        await asyncio.sleep(0)
        for each in gone:
            each.cancel()
        await asyncio.wait(gone)
        proxy.open()
        assert await asyncio.gather(*sent) == ["applied"] * 4
        await event_writer.close()
        assert proxy.commits == 2


async def test_a_write_that_takes_long_holds_nobody_back(stack: Stack) -> None:
    """Fewer than a write's own deliveries go past it when it hangs."""
    async with _open(stack, patience=0.05) as (event_writer, proxy):
        sent = _deliver(event_writer, 1)
        await proxy.hold(1)
        proxy.release(0)
        await asyncio.gather(*sent)
        sent = _deliver(event_writer, 4)
        await proxy.hold(2)
        passing = _deliver(event_writer, 1)
        await proxy.hold(3)
        proxy.release(2)
        assert await asyncio.gather(*passing) == ["applied"]
        assert not any(each.done() for each in sent)
        proxy.open()
        assert await asyncio.gather(*sent) == ["applied"] * 4
