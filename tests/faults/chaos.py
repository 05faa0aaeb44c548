"""Kills, restarts and pauses parts at random moments, by a seed."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.pocketbase import PocketBaseProcess


@dataclass(slots=True)
class Chaos:
    """Possible faults of one PocketBase and its gateways."""

    pocketbase: PocketBaseProcess
    gateways: Sequence[GatewayProcess]
    chance: random.Random
    #: Faults with their numbers.
    happened: Counter[str] = field(default_factory=Counter)

    async def rage(self, is_over: Callable[[], bool], most_faults: int) -> None:
        """Let one fault follow another until it is over; all parts run afterwards."""
        faults = self.list_faults()
        for number in range(most_faults):
            await asyncio.sleep(self.chance.uniform(0.2, 1.5))
            if is_over():
                return
            name = self.choose(sorted(faults), number)
            self.happened[name] += 1
            await faults[name]()

    def list_faults(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Return what may happen, by name."""
        return {
            "gateway killed": self._kill_gateway,
            "gateways killed together": self._kill_gateways,
            "PocketBase killed": self._kill_pocketbase,
            "PocketBase paused": self._pause_pocketbase,
            "all killed": self._kill_all,
        }

    def choose(self, names: Sequence[str], number: int) -> str:
        """Return the name of the next fault."""
        return self.chance.choice(names)

    async def _kill_gateway(self) -> None:
        gateway = self.chance.choice(self.gateways)
        gateway.kill()
        await self._wait()
        await self._start(gateway)

    async def _kill_gateways(self) -> None:
        for gateway in self.gateways:
            gateway.kill()
        await self._wait()
        for gateway in self.gateways:
            await self._start(gateway)

    async def _kill_pocketbase(self) -> None:
        self.pocketbase.kill()
        await self._wait()
        await self._start(self.pocketbase)

    async def _pause_pocketbase(self) -> None:
        self.pocketbase.pause()
        await self._wait()
        self.pocketbase.resume()

    async def _kill_all(self) -> None:
        self.pocketbase.kill()
        await self._kill_gateways_beside_nothing()

    async def _kill_gateways_beside_nothing(self) -> None:
        """Gateways must come back also while their PocketBase is still away."""
        for gateway in self.gateways:
            gateway.kill()
            await self._start(gateway)
        await self._start(self.pocketbase)

    async def _wait(self) -> None:
        await asyncio.sleep(self.chance.uniform(0.0, 1.5))

    async def _start(self, part: GatewayProcess | PocketBaseProcess) -> None:
        """Start a part without holding up the event loop, in which the simulator runs."""
        part.start()
        await asyncio.to_thread(part.wait_healthy)
