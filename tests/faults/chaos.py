"""Kills, restarts and pauses parts at random moments, by a seed."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.pocketbase import PocketBaseProcess


@dataclass(slots=True)
class Chaos:
    """What may happen to one PocketBase and its gateways."""

    pocketbase: PocketBaseProcess
    gateways: list[GatewayProcess]
    chance: random.Random
    #: What happened how often.
    happened: Counter[str] = field(default_factory=Counter)

    async def rage(self, is_over: Callable[[], bool], most_faults: int) -> None:
        """Let one fault follow another until it is over; all parts run afterwards."""
        faults = {
            "gateway killed": self._kill_gateway,
            "gateways killed together": self._kill_gateways,
            "PocketBase killed": self._kill_pocketbase,
            "PocketBase paused": self._pause_pocketbase,
            "all killed": self._kill_all,
        }
        for _ in range(most_faults):
            await asyncio.sleep(self.chance.uniform(0.2, 1.5))
            if is_over():
                return
            name = self.chance.choice(sorted(faults))
            self.happened[name] += 1
            await faults[name]()

    async def _kill_gateway(self) -> None:
        gateway = self.chance.choice(self.gateways)
        gateway.kill()
        await self._wait()
        await _start(gateway)

    async def _kill_gateways(self) -> None:
        for gateway in self.gateways:
            gateway.kill()
        await self._wait()
        for gateway in self.gateways:
            await _start(gateway)

    async def _kill_pocketbase(self) -> None:
        self.pocketbase.kill()
        await self._wait()
        await _start(self.pocketbase)

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
            await _start(gateway)
        await _start(self.pocketbase)

    async def _wait(self) -> None:
        await asyncio.sleep(self.chance.uniform(0.0, 1.5))


async def _start(part: GatewayProcess | PocketBaseProcess) -> None:
    """Start a part without holding up the event loop, in which the simulator runs."""
    part.start()
    await asyncio.to_thread(part.wait_healthy)
