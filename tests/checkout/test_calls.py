"""The number of requests per purchase."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.ports import pick_free
from gateway.dev.stack import Stack
from tests.checkout.conftest import MakePrice
from tests.frontend import User
from tests.shop import Shop, build_order
from tests.webhooks.proxy import Proxy

_PURCHASES = 20
_LINE = re.compile(rb"^(GET|POST|PATCH|PUT|DELETE) [^ ?]+")


class _Counter(Proxy):
    """Counts the requests that pass, by method and path."""

    def __init__(self, port: int, target_url: str) -> None:
        super().__init__(port, target_url)
        self.requests: Counter[str] = Counter()

    async def may_ask(self, connection: object, data: bytes) -> bool:
        """Count a request by its first line."""
        if found := _LINE.match(data):
            self.requests[found[0].decode()] += 1
        return True


@asynccontextmanager
async def _count(stack: Stack) -> AsyncIterator[tuple[_Counter, _Counter]]:
    pocketbase = _Counter(pick_free(), stack.pocketbase.url)
    stripe = _Counter(pick_free(), stack.simulator.url)
    async with pocketbase, stripe:
        yield pocketbase, stripe


async def test_a_known_customer_costs_one_call_to_each(
    stack: Stack,
    start_gateway: Callable[..., GatewayProcess],
    make_price: MakePrice,
    user: User,
    http: httpx.AsyncClient,
) -> None:
    """/checkout asks PocketBase once and Stripe once, when the user has a customer."""
    # Bought any number of times: no earlier purchase is looked at.
    order = build_order(await make_price(interval=""))
    assert (await Shop(http, stack.gateway.url).post("/checkout", user, order)).status_code == 200
    async with _count(stack) as (pocketbase, stripe):
        gateway = start_gateway(POCKETBASE_URL=pocketbase.url, STRIPE_API_BASE=stripe.url)
        shop = Shop(http, gateway.url)
        # The account and the key are asked about once, at the start.
        await shop.post("/checkout", user, order)
        pocketbase.requests.clear()
        stripe.requests.clear()
        for _ in range(_PURCHASES):
            answer = await shop.post("/checkout", user, order)
            assert answer.status_code == 200
    assert stripe.requests == {"POST /v1/checkout/sessions": _PURCHASES}
    assert pocketbase.requests["POST /api/gateway/buyer"] == _PURCHASES
    # Further calls come every few seconds, from the background.
    del pocketbase.requests["POST /api/gateway/buyer"]
    assert sum(pocketbase.requests.values()) < _PURCHASES
