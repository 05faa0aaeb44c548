"""Deliveries that arrive together share a write, and a lone one waits for none."""

import asyncio
import json
from secrets import token_hex

from gateway.pocketbase import PocketBase
from gateway.settings import Settings
from gateway.stripe_api import open_stripe
from gateway.webhooks.event import parse
from gateway.webhooks.inbox import Inbox
from gateway.webhooks.projector import Plan, plan
from gateway.webhooks.settlement import Settlement
from stack.ports import pick_free
from stack.stack import Stack
from tests.delivery import build_event
from tests.webhooks.holding_proxy import HoldingProxy


def _plan() -> Plan:
    item = {"id": f"prod_{token_hex(7)}", "object": "product"}
    return plan(parse(json.dumps(build_event("product.created", item))))


async def test_the_next_write_is_as_large_as_the_one_under_way(stack: Stack) -> None:
    """The first is written at once; behind it, a write begins when as many wait as it holds."""
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
            inbox = Inbox(pocketbase, Settlement(pocketbase, client))
            sent: list[asyncio.Task[str]] = []

            def deliver(number: int) -> None:
                sent.extend(asyncio.create_task(inbox.store(_plan())) for _ in range(number))

            deliver(1)
            await proxy.hold(1)
            deliver(6)
            await proxy.hold(2)
            deliver(5)
            proxy.release(0)
            assert await sent[0] == "applied"
            # Five wait behind six that are being written; the sixth brings them on their way.
            deliver(1)
            await proxy.hold(3)
            proxy.open()
            assert await asyncio.gather(*sent) == ["applied"] * 13
            assert proxy.commits == 3
