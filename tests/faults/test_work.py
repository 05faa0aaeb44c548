"""Background work under faults: processes are killed and paused inside handlers.

`make faults` runs it with 70 faults. tests/relay/test_kills.py does the same with PostgreSQL, which
it kills too.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.work import WorkQueue
from tests.dashboard import Dashboard, open_dashboard
from tests.deadline import eventually
from tests.faults.effect_log import EffectLog, open_effect_log
from tests.faults.replicas import Replicas, open_replicas
from tests.faults.tickets import Tickets
from tests.faults.work_chaos import WorkChaos
from tests.faults.work_oracle import find_wrong
from tests.gateway_settings import open_pocketbase

_TICKETS = 8
_SECONDS_PER_FAULT = 8


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that a test kills, the causes of work, and the log of its effects."""

    replicas: Replicas
    tickets: Tickets
    log: EffectLog
    chance: random.Random

    @property
    def dashboard(self) -> Dashboard:
        """The superuser's view."""
        return self.tickets.dashboard

    async def wait_settled(self, but: str = "") -> None:
        """Wait until no item waits or runs, except those of one handler.

        A long run leaves some thousand items, so the limit is two minutes without progress.
        """
        left = await self._count_open(but)
        while left:

            async def has_progressed(before: int = left) -> bool:
                return await self._count_open(but) < before

            await eventually(has_progressed, within=120)
            left = await self._count_open(but)

    async def _count_open(self, but: str) -> int:
        counts = (await self.tickets.queue.status()).counts
        return sum(
            each.number for each in counts if each.status != "parked" and each.handler != but
        )


@pytest_asyncio.fixture
async def scene(tmp_path: Path, pytestconfig: pytest.Config) -> AsyncIterator[Scene]:
    """PocketBase and a gateway of the old release, which has registered its handlers."""
    chance = random.Random(pytestconfig.getoption("--chaos-seed"))
    async with open_effect_log(chance) as log:
        with open_replicas(tmp_path, log.url) as replicas:
            for gateway in replicas.gateways:
                gateway.install("old")
            replicas.worker.install("new")
            replicas.gateways[0].start()
            await asyncio.to_thread(replicas.gateways[0].wait_registered)
            part = replicas.pocketbase
            async with open_dashboard(part) as dashboard, open_pocketbase(part) as client:
                tickets = Tickets(dashboard, WorkQueue(client), chance)
                yield Scene(replicas, tickets, log, chance)


async def test_faults_lose_no_work_and_double_none_that_may_run_once(
    scene: Scene, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    """Old and new processes are killed and paused; the effect log shows every guarantee kept."""
    replicas, tickets, log = scene.replicas, scene.tickets, scene.log
    # Only the old release runs: its own handlers finish, the new one's job waits.
    await tickets.create()
    job = await tickets.announce()
    await scene.wait_settled(but="job.announce")
    row = await tickets.queue.find(job)
    assert row
    assert (row["status"], row["attempts"]) == ("waiting", 0)

    for replica in replicas.all[1:]:
        replica.start()
    faults = pytestconfig.getoption("--chaos-work-faults")
    chaos = WorkChaos(
        replicas.pocketbase, replicas.all, scene.chance, log=log, replicas=replicas.all
    )
    end = time.monotonic() + faults * _SECONDS_PER_FAULT
    raging = asyncio.create_task(chaos.rage(lambda: time.monotonic() > end, faults))
    async with asyncio.timeout(120 + faults * _SECONDS_PER_FAULT):
        await tickets.change_until(raging.done, _TICKETS)
        await raging
    await scene.wait_settled()

    assert await find_wrong(tickets, log, scene.dashboard) == []
    repeated = len(log.effects) - len({each.key for each in log.effects})
    parked = await scene.dashboard.count("gateway_work", "status = 'parked'")
    assert repeated + parked > 0
    for replica in replicas.all:
        assert replica.is_running, replica.describe_end()
    with capsys.disabled():
        seed = pytestconfig.getoption("--chaos-seed")
        print(
            f"\nwork {seed}: {len(log.effects)} effects, {repeated} repeated, {parked} parked,"
            f" {dict(chaos.happened)}"
        )
