"""The state file: a second start has the state of the first."""

import asyncio
import sys
from pathlib import Path

import httpx

from stripe_simulator import state
from stripe_simulator.http.api import Api
from stripe_simulator.settings import DAY
from stripe_simulator.world import World
from tests.deadline import eventually
from tests.simulator.served import SECRET, Receiver, Running, receiving, run
from tests.simulator.test_subscriptions import Shop


async def test_a_second_start_finds_everything(tmp_path: Path) -> None:
    """Objects, events, idempotency, ids and the clock go on where they stopped."""
    file = tmp_path / "stripe.json"
    async with run(file=file) as first:
        await first.control("clock/advance", seconds=1_000)
        customer = await first.sdk.v1.customers.create_async(
            {"name": "A"}, {"idempotency_key": "k"}
        )
        events, now = first.simulator.world.events, first.simulator.world.now
    async with run(file=file) as second:
        world = second.simulator.world
        assert world.events == events
        assert world.now == now
        assert len(world.all("product")) == 2
        again = await second.sdk.v1.customers.create_async({"name": "A"}, {"idempotency_key": "k"})
        assert again.id == customer.id
        other = await second.sdk.v1.customers.create_async({"name": "B"})
        assert other.id not in {event["data"]["object"].get("id") for event in events}


async def test_a_change_is_written_while_running(tmp_path: Path) -> None:
    """A killed simulator has lost nothing that was answered a moment before."""
    file = tmp_path / "stripe.json"
    async with run(file=file) as served:
        customer = await served.sdk.v1.customers.create_async({"name": "A"})

        async def written() -> bool:
            kept = state.read(file)
            return kept is not None and customer.id in kept["objects"].get("customer", {})

        await eventually(written)


async def test_what_was_due_falls_due_after_a_restart(tmp_path: Path) -> None:
    """The agenda is kept: a session that a first start made expires in the second."""
    file = tmp_path / "stripe.json"
    async with run(file=file) as first:
        await left_session(first)
    async with run(file=file) as second:
        await second.control("clock/advance", seconds=86_400)
        assert second.simulator.world.events[-1]["type"] == "checkout.session.expired"


def test_the_time_goes_on_while_nothing_runs() -> None:
    """After six weeks the clock is at real time, and each renewal came at its own."""
    real = [1_800_000_000.0]
    world = World(now=int(real[0]), time_source=lambda: real[0])
    shop = Shop(world=world)
    subscription = shop.subscribe()
    kept = state.dump(shop.api)
    real[0] += 42 * DAY

    api = Api(World(time_source=lambda: real[0]))
    state.load(api, kept)
    begin = len(api.world.events)
    api.world.clock.catch_up()
    assert api.world.now == int(real[0])
    [item] = api.world.get("subscription", subscription["id"])["items"]["data"]
    assert item["current_period_start"] < api.world.now < item["current_period_end"]
    [paid] = [event for event in api.world.events[begin:] if event["type"] == "invoice.paid"]
    assert paid["created"] == item["current_period_start"] + 3600


def test_a_clock_that_was_moved_ahead_stays_ahead() -> None:
    """A restart takes nothing back of what was advanced."""
    real = [1_800_000_000.0]
    api = Api(World(now=int(real[0]), time_source=lambda: real[0]))
    api.world.clock.advance(90 * DAY)
    kept = state.dump(api)
    real[0] += 42 * DAY
    again = Api(World(time_source=lambda: real[0]))
    state.load(again, kept)
    again.world.clock.catch_up()
    assert again.world.now == 1_800_000_000 + 90 * DAY


async def test_owed_deliveries_survive(tmp_path: Path) -> None:
    """Pending deliveries are sent after the next start."""
    file = tmp_path / "stripe.json"
    async with receiving() as receiver:
        async with run(file=file) as first:
            await first.control("deliveries", paused=True)
            await first.control("webhook_endpoints", url=receiver.url, secret=SECRET)
            await first.sdk.v1.customers.create_async({"name": "A"})
            receiver.statuses = [500]
            await first.control("deliveries", paused=False, retry_first=60)
            await eventually(lambda: has_arrived(receiver, 1))
        async with run(file=file) as second:
            await second.delivered()
        assert receiver.types == ["customer.created"] * 2


async def has_arrived(receiver: Receiver, count: int) -> bool:
    """Whether so many deliveries came."""
    return len(receiver.events) >= count


async def left_session(running: Running) -> None:
    """A Checkout Session that is never paid."""
    prices = await running.sdk.v1.prices.list_async({"lookup_keys": ["lifetime"]})
    await running.sdk.v1.checkout.sessions.create_async(
        {
            "mode": "payment",
            "line_items": [{"price": prices.data[0].id, "quantity": 1}],
            "success_url": "https://shop.test/done",
        }
    )


async def test_reset_begins_afresh_and_keeps_endpoints(running: Running) -> None:
    """After a reset there is the catalogue, the endpoints and nothing else."""
    await running.control("webhook_endpoints", url="http://127.0.0.1:9/none", secret="whsec_1")
    await running.sdk.v1.customers.create_async({"name": "A"})
    await running.control("reset", seed=1)
    world = running.simulator.world
    assert world.all("customer") == {}
    assert len(world.all("product")) == 2
    assert len(world.all("webhook_endpoint")) == 1


async def test_the_command_serves(tmp_path: Path, unused_tcp_port: int) -> None:
    """`python -m stripe_simulator` listens, lists what it is, and ends when told to."""
    arguments = ["-m", "stripe_simulator", "--port", str(unused_tcp_port), "--seed-catalogue"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.DEVNULL
    )
    base = f"http://127.0.0.1:{unused_tcp_port}"
    async with httpx.AsyncClient(base_url=base, trust_env=False) as client:

        async def answers() -> bool:
            try:
                return (await client.get("/")).status_code == 200
            except httpx.TransportError:
                return False

        await eventually(answers)
        assert "Stripe" in (await client.get("/")).text
        objects = (await client.get("/_simulator/state")).json()["objects"]
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 10) in (0, -15)
    assert objects == {"product": 2, "price": 3}


async def test_an_endpoint_needs_a_secret(tmp_path: Path) -> None:
    """--webhook-url without a secret fails at start and names the variable."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "stripe_simulator", "--webhook-url", "http://127.0.0.1:9/"),
        env={"PATH": ""},
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 2
    assert b"STRIPE_SIMULATOR_WEBHOOK_SECRET" in errors
