"""A Stripe account in this process, whose API the gateway reads; every history begins a new one."""

from itertools import count
from typing import Any

from stripe_simulator.http.api import Api
from stripe_simulator.http.endpoint import Endpoint
from stripe_simulator.http.faults import Faults
from stripe_simulator.world import World

_SEEDS = count(1)


class Account:
    """An ASGI application that answers for the current world and counts what is read."""

    def __init__(self) -> None:
        self.reads = 0
        self.begin()

    def begin(self) -> World:
        """Begin anew: nothing in it, and ids that no earlier world had."""
        self.world = World(seed=next(_SEEDS))
        self._endpoint = Endpoint(Api(self.world), Faults())
        return self.world

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as Stripe."""
        if scope["type"] == "http":
            self.reads += scope["method"] == "GET"
            await self._endpoint(scope, receive, send)
