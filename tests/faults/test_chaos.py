"""Deliveries under faults: parts are killed, restarted and paused while events arrive.

`make faults` runs it with 20,000 deliveries; the same seed gives the same history, the same
switches and the same faults.
"""

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from gateway.dev.gateway_process import GatewayProcess, StripeAccess
from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack
from gateway.mirror.event_change import RESOLVE, UNRESOLVED
from gateway.mirror.registry import BY_OBJECT
from stripe_simulator.histories import play
from tests.dashboard import Dashboard, open_dashboard
from tests.deadline import eventually
from tests.faults.chaos import Chaos
from tests.faults.expected_rows import ExpectedRows, keep_expected_rows
from tests.second_gateway import run_second_gateway
from tests.simulator.served import KEY, Running, run

_SECRET = "whsec_storm"
_DUPLICATES = 0.3
#: Each event goes to two gateways, and some deliveries are made a second time.
_COPIES = 2 * (1 + _DUPLICATES)
_SWITCHES = {
    "paused": False,
    "duplicate": _DUPLICATES,
    "shuffle": 300,
    "lose_answer": 0.05,
    "delay": 0.3,
    "concurrency": 32,
    "retry_first": 0.2,
    "retry_ceiling": 2.0,
    "most_attempts": 200,
}


@dataclass(frozen=True, slots=True)
class Account:
    """A simulated account that delivers to two gateways over one PocketBase."""

    stripe: Running
    stack: Stack
    gateways: list[GatewayProcess]
    dashboard: Dashboard


@asynccontextmanager
async def open_account(folder: Path, seed: int) -> AsyncIterator[Account]:
    """Start the parts; the simulator runs in this process and delivers nothing yet."""
    async with run(contract=False, seed=seed) as stripe:
        env = {"GATEWAY_UPSTREAM_TIMEOUT": "3", "GATEWAY_APP": "tests.faults.short_leases:app"}
        plan = plan_throwaway(folder, env)
        access = StripeAccess(KEY, (_SECRET,), stripe.base)
        with ExitStack() as ends:
            stack = ends.enter_context(Stack(replace(plan, stripe=access, is_simulated=False)))
            log = folder / "log" / "second.log"
            second = ends.enter_context(run_second_gateway(stack, log, **plan.gateway_env))
            await stripe.control("deliveries", paused=True, seed=seed)
            for gateway in (stack.gateway, second):
                address = f"{gateway.url}/webhooks/stripe"
                await stripe.control("webhook_endpoints", url=address, secret=_SECRET)
            async with open_dashboard(stack.pocketbase) as dashboard:
                yield Account(stripe, stack, [stack.gateway, second], dashboard)


async def sign_up_buyers(dashboard: Dashboard, count: int) -> dict[str, str]:
    """Make users, verified, of the addresses that a history's first customers have."""
    users = {}
    for number in range(count):
        email = f"user{number}@example.com"
        user = {"email": email, "password": "chaos-chaos", "passwordConfirm": "chaos-chaos"}
        path = "/api/collections/users/records"
        record = await dashboard.call("POST", path, {**user, "verified": True})
        users[email] = record["id"]
    return users


def play_history(
    stripe: Running, deliveries: int, chance: random.Random
) -> Sequence[Mapping[str, Any]]:
    """Make a history that is long enough; return its events in order."""
    world = stripe.simulator.world
    already = len(world.events)
    play(world, chance, steps=10, whole=True)
    while (len(world.events) - already) * _COPIES < deliveries:
        play(world, chance, steps=20)
    return world.events[already:]


async def wait_resolved(dashboard: Dashboard) -> None:
    """Wait until every event that needs a read from Stripe is resolved."""

    async def is_resolved() -> bool:
        open_items = f"handler = '{RESOLVE}' && status != 'done'"
        return not await dashboard.count("gateway_work", open_items)

    await eventually(is_resolved, within=120)
    assert not await dashboard.count("stripe_events", f"outcome = '{UNRESOLVED}'")


async def find_unresolved(dashboard: Dashboard) -> set[str]:
    """Return the ids of events that were stored before their row was read."""
    items = await dashboard.list("gateway_work", f"handler = '{RESOLVE}'")
    return {item["source"] for item in items}


def keep(stripe: Running, events: Sequence[Mapping[str, Any]]) -> ExpectedRows:
    """The expected rows after the events."""
    world = stripe.simulator.world
    objects = [item for kind in BY_OBJECT for item in world.all(kind).values()]
    return keep_expected_rows(events, objects)


async def test_faults_lose_nothing_and_apply_nothing_twice(
    tmp_path: Path, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    """Parts are killed and paused; every row ends as after delivery in order."""
    deliveries = pytestconfig.getoption("--chaos-deliveries")
    seed = pytestconfig.getoption("--chaos-seed")
    chance = random.Random(seed)
    async with open_account(tmp_path, seed) as account:
        dashboard, deliverer = account.dashboard, account.stripe.simulator.deliverer
        users = await sign_up_buyers(dashboard, 10)
        events = play_history(account.stripe, deliveries, chance)
        chaos = Chaos(account.stack.pocketbase, account.gateways, chance)
        await account.stripe.control("deliveries", **_SWITCHES)
        await chaos.rage(lambda: deliverer.idle, most_faults=6 + deliveries // 150)
        log = await account.stripe.delivered(seconds=60 + deliveries / 50)

        acknowledged = {each["event"] for each in log["log"] if each["status_code"] == 200}
        await wait_resolved(dashboard)
        stored = await dashboard.list("stripe_events")
        assert acknowledged == {event["id"] for event in events}
        assert sorted(each["stripe_id"] for each in stored) == sorted(acknowledged)
        assert "failed" not in {each["outcome"] for each in stored}
        repeated = {each["stripe_id"] for each in stored if each["attempts"] != 1}
        assert repeated <= await find_unresolved(dashboard)
        expected_rows = keep(account.stripe, events)
        assert await expected_rows.find_wrong(dashboard) == []
        assert await expected_rows.find_wrong_owners(dashboard, users) == []
    with capsys.disabled():
        attempts, faults = len(log["log"]), dict(chaos.happened)
        print(f"\nstorm {seed}: {len(events)} events in {attempts} deliveries, {faults}")
