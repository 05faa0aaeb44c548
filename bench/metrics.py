"""Webhook deliveries to a gateway with metrics, compared with one without, in one run.

``python -m bench.metrics [--json]``

create     as in bench.webhooks;
counted    linked deliveries to the gateway, whose /metrics is read every second;
uncounted  the same to a second gateway, whose counters do nothing.

Rounds alternate, and change their order; ratios are medians over the rounds. ``metrics_ratio_c32``
is the rate of counted deliveries divided by that of uncounted ones, ``metrics_cpu_ms`` the
additional CPU time of the gateway per delivery.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import uvloop

from bench.customers import customer_of
from bench.events import Subscriptions, change_sometimes
from bench.processes import Meter
from bench.rounds import Round, rate_of
from bench.webhooks import Bench, build_deliveries, open_customers, prepare
from bench.wire import run_load
from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.plan import plan_throwaway
from gateway.dev.ports import pick_free
from gateway.dev.stack import Stack

_TOKEN = "a-token-of-a-bench-only"
_SUBSCRIPTIONS = 500
_CLIENTS = 32


@dataclass(slots=True)
class Side:
    """One gateway with customers of its own."""

    gateway: GatewayProcess
    deliveries: Subscriptions
    #: Whether /metrics is read during a round.
    is_read: bool
    rounds: list[Round] = field(default_factory=list)

    async def run(self, pocketbase: Meter, seconds: float) -> None:
        """Run one round and store the result."""
        meter = Meter(self.gateway.pid)
        reader = asyncio.create_task(self._read_metrics()) if self.is_read else None
        pocketbase.restart()
        port = int(self.gateway.url.rpartition(":")[2])
        load = await run_load(port, _CLIENTS, seconds, self.deliveries.deliver)
        requests = len(load.latencies)
        self.rounds.append(Round(load, meter.cpu_ms / requests, pocketbase.cpu_ms / requests))
        if reader:
            reader.cancel()
            with suppress(asyncio.CancelledError):
                await reader

    async def _read_metrics(self) -> None:
        headers = {"Authorization": f"Bearer {_TOKEN}"}
        async with httpx.AsyncClient(trust_env=False, headers=headers, timeout=30) as client:
            while True:
                (await client.get(f"{self.gateway.url}/metrics")).raise_for_status()
                await asyncio.sleep(1)


async def measure(
    stack: Stack, second: GatewayProcess, rounds: int, seconds: float
) -> dict[str, Any]:
    """Run all rounds and return the figures."""
    token = await prepare(stack)
    secret = stack.gateway.env["STRIPE_WEBHOOK_SECRETS"]
    deliveries = {name: _build(secret, name) for name in ("counted", "uncounted")}
    await open_customers(stack, deliveries)
    counted = Side(stack.gateway, deliveries["counted"], is_read=True)
    uncounted = Side(second, deliveries["uncounted"], is_read=False)
    pocketbase = Meter(stack.pocketbase.pid)
    creates = Bench(
        stack,
        token,
        build_deliveries(secret),
        Meter(stack.gateway.pid),
        Meter(stack.pocketbase.pid),
    )
    for number in range(rounds + 1):
        await creates.run("create", _CLIENTS, seconds)
        order = (counted, uncounted) if number % 2 else (uncounted, counted)
        for side in order:
            await side.run(pocketbase, seconds)
        if number == 0:  # to warm up
            for values in (counted.rounds, uncounted.rounds, *creates.rounds.values()):
                values.clear()
    made = creates.rounds["create", _CLIENTS]
    return {
        "ratio_c32": _ratio(counted.rounds, made),
        "ratio_c32_without": _ratio(uncounted.rounds, made),
        "metrics_ratio_c32": _ratio(counted.rounds, uncounted.rounds),
        "metrics_cpu_ms": round(_median_cpu(counted) - _median_cpu(uncounted), 4),
        "gateway_cpu_ms": round(_median_cpu(counted), 4),
        "refused": sum(each.load.refused for each in (*counted.rounds, *uncounted.rounds)),
        "deliveries": sum(each.sent for each in deliveries.values()),
        "rounds": rounds,
    }


def _build(secret: str, prefix: str) -> Subscriptions:
    return Subscriptions(
        _SUBSCRIPTIONS, secret, course=change_sometimes, customer_of=customer_of, prefix=prefix
    )


def _ratio(rounds: list[Round], base: list[Round]) -> float:
    pairs = zip(rounds, base, strict=True)
    return round(statistics.median(rate_of(a) / rate_of(b) for a, b in pairs), 3)


def _median_cpu(side: Side) -> float:
    return statistics.median(each.gateway_cpu_ms for each in side.rounds)


def main() -> None:
    """Parse the options, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each run lasts")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(
            replace(
                plan_throwaway(Path(folder), {"GATEWAY_METRICS_TOKEN": _TOKEN}), is_simulated=False
            )
        ) as stack,
    ):
        second = _describe_second(stack, Path(folder))
        second.start()
        try:
            second.wait_ready()
            result = uvloop.run(measure(stack, second, options.rounds, options.seconds))
        finally:
            second.stop()
    print(json.dumps(result) if options.json else result)
    if result["refused"]:
        sys.exit("deliveries were refused")


def _describe_second(stack: Stack, folder: Path) -> GatewayProcess:
    """Return a gateway without metrics beside the stack's PocketBase."""
    port = pick_free()
    second = GatewayProcess(
        port,
        log=folder / "second.log",
        pocketbase=stack.pocketbase,
        stripe=stack.plan.stripe,
        frontend_origins=stack.plan.frontend_origins,
    )
    command = [sys.executable, "-m", "bench.without_metrics", "serve"]
    second.command = (*command, "--host=127.0.0.1", f"--port={port}")
    second.env |= {"GATEWAY_PUBLIC_URL": stack.gateway.url}
    return second


if __name__ == "__main__":
    main()
