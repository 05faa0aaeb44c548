"""A Stripe account in this process with an API for the gateway; reset for every history."""

import asyncio
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from stripe_simulator.http.api import Api
from stripe_simulator.http.endpoint import Endpoint
from stripe_simulator.http.faults import Faults
from stripe_simulator.world import World

_SEEDS = count(1)


@dataclass
class Hold:
    """An answer that is ready and waits to be sent: what it shows may grow old meanwhile."""

    is_ready: asyncio.Event = field(default_factory=asyncio.Event)
    may_go: asyncio.Event = field(default_factory=asyncio.Event)


class Account:
    """An ASGI application that answers for the current world and notes what is read."""

    def __init__(self) -> None:
        #: Path and API version of every read.
        self.reads: list[tuple[str, str]] = []
        self._holds: list[Hold] = []
        self.begin()

    def begin(self) -> World:
        """Reset: no objects, and ids that were not used before."""
        self.world = World(seed=next(_SEEDS))
        self.faults = Faults()
        self._endpoint = Endpoint(Api(self.world), self.faults)
        return self.world

    def hold_next(self) -> Hold:
        """Let the next answer wait once it is ready."""
        hold = Hold()
        self._holds.append(hold)
        return hold

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as Stripe."""
        if scope["type"] != "http":
            return
        version = dict(scope["headers"]).get(b"stripe-version", b"").decode()
        self.reads.append((scope["path"], version))
        messages: list[Any] = []

        async def keep(message: Any) -> None:
            messages.append(message)

        await self._endpoint(scope, receive, keep)
        if self._holds:
            hold = self._holds.pop(0)
            hold.is_ready.set()
            await asyncio.wait_for(hold.may_go.wait(), 10)
        for message in messages:
            await send(message)
