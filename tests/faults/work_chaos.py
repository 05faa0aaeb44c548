"""Kills and pauses processes inside handlers, and replaces releases, by a seed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.pocketbase import PocketBaseProcess
from tests.deadline import eventually
from tests.faults.chaos import Chaos
from tests.faults.effect_log import EffectLog
from tests.faults.replicas import Replica
from tests.faults.short_leases import LEASE_SECONDS


@dataclass(slots=True)
class WorkChaos(Chaos):
    """Possible faults of the processes that run work, and of their PocketBase."""

    log: EffectLog = field(kw_only=True)
    replicas: Sequence[Replica] = field(kw_only=True)
    _names: list[str] = field(default_factory=list)

    def list_faults(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Return what may happen, by name."""
        return {
            "killed inside handlers": self._kill_working,
            "paused inside handlers": self._pause_working,
            "all replicas killed": self._kill_gateways,
            "PocketBase killed": self._kill_pocketbase,
            "PocketBase paused": self._pause_pocketbase,
            "all killed": self._kill_all,
            "release changed": self._change_release,
        }

    def choose(self, names: Sequence[str], number: int) -> str:
        """Return each name once per round, in a random order."""
        if number % len(names) == 0:
            self._names = self.chance.sample(names, len(names))
        return self._names[number % len(names)]

    async def _kill_working(self) -> None:
        replica = await self._find_working()
        replica.kill()
        await self._wait()
        await self._start(replica)

    async def _pause_working(self) -> None:
        """Pause a process for longer than its leases, and let it continue what others have."""
        replica = await self._find_working()
        replica.pause()
        await asyncio.sleep(LEASE_SECONDS + self.chance.uniform(0.5, 1.5))
        replica.resume()

    async def _pause_pocketbase(self) -> None:
        """Let all leases run out at once."""
        self.pocketbase.pause()
        await asyncio.sleep(LEASE_SECONDS + self.chance.uniform(0.5, 1.5))
        self.pocketbase.resume()

    async def _change_release(self) -> None:
        """Replace a gateway's release by the other one, as an upgrade or its reversal does."""
        gateway = self.chance.choice(self.replicas[:2])
        await asyncio.to_thread(gateway.stop)
        gateway.install("old" if gateway.release == "new" else "new")
        await self._start(gateway)

    async def _find_working(self) -> Replica:
        """Return a process that is inside handlers."""

        async def find() -> Replica | None:
            working = [each for each in self.replicas if self.log.under_way[each.name]]
            return self.chance.choice(working) if working else None

        found = await eventually(find, 60)
        assert found
        return found

    async def _start(self, part: GatewayProcess | PocketBaseProcess) -> None:
        """Start a part; the next fault may meet it before it is healthy."""
        part.start()
