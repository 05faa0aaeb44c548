"""Everything of one running simulator: world, API, deliverer, faults, stored state."""

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from stripe_simulator import catalogue, state
from stripe_simulator.deliveries.deliverer import Deliverer
from stripe_simulator.deliveries.post import Poster
from stripe_simulator.deliveries.switches import Switches
from stripe_simulator.http.api import Api
from stripe_simulator.http.faults import Faults
from stripe_simulator.http.idempotency import Idempotency
from stripe_simulator.http.rate_limit import RateLimit
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

#: How often what fell due in real time is looked for, in seconds.
TICK = 0.25
#: How long changes are gathered before they are written, in seconds.
GATHER = 0.05
#: A large state is written more seldom: so many times longer than writing it takes.
SELDOM = 20


@cache
def tls() -> ssl.SSLContext:
    """The certificates that receivers are checked against; read once, because it takes long."""
    return ssl.create_default_context()


@dataclass(slots=True)
class Simulator:
    """One account, served."""

    api: Api
    faults: Faults = field(default_factory=Faults)
    switches: Switches = field(default_factory=Switches)
    rate_limit: RateLimit = field(default_factory=RateLimit)
    #: Numbers of API requests, by method and as "429" of those refused by the rate limit.
    requests: Counter[str] = field(default_factory=Counter)
    #: The file of the state; None keeps none.
    file: Path | None = None
    #: The products of a new account.
    catalogue: tuple[JSON, ...] = ()
    deliverer: Deliverer = field(init=False)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    #: Violations of the contract; empty if the contract is off.
    violations: list[JSON] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.deliverer = Deliverer(self.api.world, Poster(tls()), self.switches)
        self.api.world.listeners.append(self._happened)
        self._begin()

    @property
    def world(self) -> World:
        """The simulated account."""
        return self.api.world

    def _happened(self, event: JSON) -> None:
        self.deliverer.wake()
        self.changed.set()

    def _begin(self) -> None:
        kept = state.read(self.file) if self.file else None
        if kept is not None:
            state.load(self.api, kept)

    def reset(self, seed: int = 0, now: int | None = None) -> None:
        """Begin afresh; webhook endpoints stay."""
        endpoints = self.world.all("webhook_endpoint")
        secrets = self.world.facts("endpoint")
        self.deliverer.forget()
        self.deliverer.log.clear()
        self.deliverer.counts.clear()
        self.faults.rules.clear()
        self.rate_limit.change(None)
        self.requests.clear()
        self.violations.clear()
        self.world.reset(seed, now)
        self.world.objects["webhook_endpoint"] = endpoints
        self.world.side["endpoint"] = secrets
        self.api.idempotency = Idempotency()
        catalogue.seed(self.world, self.catalogue)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver, keep time and keep the state while the block runs."""
        # Not before: the webhook endpoints of the start are there by now, and hear of it.
        catalogue.seed(self.world, self.catalogue)
        # Time went on while nothing ran, and the endpoints must receive what fell due.
        self.world.clock.catch_up()
        tasks = [asyncio.create_task(w()) for w in (self.deliverer.run, self._tick, self._keep)]
        try:
            yield
        finally:
            self.save()
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task

    def save(self) -> None:
        """Write the state if it is kept."""
        if self.file is not None:
            state.save(self.file, state.dump(self.api, self.deliverer.owed.elements()))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            self.world.clock.tick()

    async def _keep(self) -> None:
        took = 0.0
        while True:
            await self.changed.wait()
            await asyncio.sleep(max(GATHER, took * SELDOM))
            self.changed.clear()
            began = time.monotonic()
            self.save()
            took = time.monotonic() - began
