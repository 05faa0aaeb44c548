"""Webhook deliveries beside PocketBase's own creates, on one machine in one run.

``python -m bench.webhooks [--json]``

(a) creates one record a request by PocketBase's REST API: the event, 5 kB, in a collection with
    the columns and indexes of ``stripe_events``;
(b) delivers signed events to the gateway: each becomes an event row and its subscription's row,
    and reaches a realtime subscriber.

Rounds of a and b alternate; ratios are medians over the rounds.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import uvloop

from bench.events import START, Subscriptions
from bench.processes import Meter
from bench.realtime import RealtimeCounter
from bench.rounds import Round, p50_of, p99_of, rate_of
from bench.wire import encode, run_load
from stack.plan import plan_throwaway
from stack.stack import Stack

CLIENTS = (1, 8, 32)
_SUBSCRIPTIONS = 500


@dataclass(slots=True)
class Bench:
    """Both sides over one running stack."""

    stack: Stack
    token: str
    deliveries: Subscriptions
    gateway: Meter
    pocketbase: Meter
    rounds: dict[tuple[str, int], list[Round]] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=count)

    def create(self) -> bytes:
        """Return the request of a plain create."""
        number = next(self._numbers)
        subscription = f"sub_{number % _SUBSCRIPTIONS}"
        record = {
            "stripe_id": f"evt_{number:020}",
            "type": "customer.subscription.updated",
            "outcome": "applied",
            "object_id": subscription,
            "created": "2026-11-23 12:00:00.000Z",
        }
        payload = self.deliveries.event(number, subscription, START + number, "active")
        # The same 5 kB that (b) delivers, at the same cost for who sends them.
        body = b'%b,"payload":%b}' % (json.dumps(record).encode()[:-1], payload)
        path = "/api/collections/bench_events/records"
        return encode("POST", path, body, [("Authorization", self.token)])

    async def run(self, side: str, clients: int, seconds: float) -> None:
        """Run one side once and keep what it gave."""
        plan = self.stack.plan
        port, make = (
            (plan.ports.pocketbase, self.create)
            if side == "a"
            else (plan.ports.gateway, self.deliveries.deliver)
        )
        self.gateway.restart()
        self.pocketbase.restart()
        load = await run_load(port, clients, seconds, make)
        requests = len(load.latencies)
        self.rounds.setdefault((side, clients), []).append(
            Round(load, self.gateway.cpu_ms / requests, self.pocketbase.cpu_ms / requests)
        )

    def median(self, side: str, clients: int, measure: Callable[[Round], float]) -> float:
        """The median of a measure over the rounds."""
        return statistics.median(measure(each) for each in self.rounds[side, clients])

    def ratio(self, clients: int, measure: Callable[[Round], float]) -> float:
        """The median over the rounds of b's measure by a's, each with its neighbour."""
        pairs = zip(self.rounds["b", clients], self.rounds["a", clients], strict=True)
        return statistics.median(measure(b) / measure(a) for b, a in pairs)


async def measure(stack: Stack, token: str, rounds: int, seconds: float) -> dict[str, Any]:
    """Run all rounds and check what is stored afterwards."""
    deliveries = Subscriptions(_SUBSCRIPTIONS, stack.gateway.env["STRIPE_WEBHOOK_SECRETS"])
    bench = Bench(stack, token, deliveries, Meter(stack.gateway.pid), Meter(stack.pocketbase.pid))
    async with RealtimeCounter(stack.plan.ports.pocketbase, token, "subscriptions/*") as realtime:
        for side in "ab":
            await bench.run(side, 8, 1.0)
        bench.rounds.clear()
        for clients in CLIENTS:
            for _ in range(rounds):
                for side in "ab":
                    await bench.run(side, clients, seconds)
        seen = await realtime.wait(deliveries.sent)
    _print_table(bench)
    refused = sum(r.load.refused for (side, _), each in bench.rounds.items() for r in each)
    return {
        **{f"ratio_c{clients}": round(bench.ratio(clients, rate_of), 3) for clients in CLIENTS},
        "p50_ratio_c1": round(bench.ratio(1, p50_of), 3),
        "p99_ratio_c32": round(bench.ratio(32, p99_of), 3),
        "gateway_rss_mb": round(bench.gateway.rss_mb, 1),
        "pocketbase_rss_mb": round(bench.pocketbase.rss_mb, 1),
        "refused": refused,
        "deliveries": deliveries.sent,
        "realtime_events": seen,
        **await _count_wrong(stack, token, deliveries),
    }


def _print_table(bench: Bench) -> None:
    print("side clients   rate/s  p50 ms  p99 ms  CPU ms an event: gateway  PocketBase")
    for (side, clients), _ in bench.rounds.items():
        values = [
            bench.median(side, clients, measure)
            for measure in (
                rate_of,
                p50_of,
                p99_of,
                lambda r: r.gateway_cpu_ms,
                lambda r: r.pocketbase_cpu_ms,
            )
        ]
        print(f"{side:>4} {clients:7} {values[0]:8.0f} {values[1]:7.2f} {values[2]:7.2f}"
              f" {values[3]:25.3f} {values[4]:11.3f}")  # fmt: skip


async def _count_wrong(stack: Stack, token: str, deliveries: Subscriptions) -> dict[str, int]:
    """Compare every subscription's row with its newest event, and count the event rows."""
    url, headers = stack.pocketbase.url, {"Authorization": token}
    async with httpx.AsyncClient(trust_env=False, headers=headers, base_url=url) as client:
        answer = await client.get(
            "/api/collections/subscriptions/records", params={"perPage": 1000}
        )
        rows = {row["stripe_id"]: row for row in answer.json()["items"]}
        answer = await client.get("/api/collections/stripe_events/records", params={"perPage": 1})
        stored = answer.json()["totalItems"]
    wrong = sum(
        1
        for subscription, (created, status) in deliveries.latest.items()
        if (row := rows.get(subscription)) is None
        or row["status"] != status
        or json.loads(row["stamp"])[1] != created
    )
    return {"wrong_rows": wrong, "lost_events": deliveries.sent - stored}


async def prepare(stack: Stack) -> str:
    """Create the collection that (a) writes to; return the superuser's token."""
    pocketbase = stack.pocketbase
    async with httpx.AsyncClient(trust_env=False, base_url=pocketbase.url) as client:
        answer = await client.post(
            "/api/collections/_superusers/auth-with-password",
            json={
                "identity": pocketbase.superuser_email,
                "password": pocketbase.superuser_password,
            },
        )
        token = str(answer.json()["token"])
        headers = {"Authorization": token}
        events = (await client.get("/api/collections/stripe_events", headers=headers)).json()
        await client.post(
            "/api/collections",
            headers=headers,
            json={
                "name": "bench_events",
                "type": "base",
                "fields": [{k: v for k, v in f.items() if k != "id"} for f in events["fields"]],
                "indexes": [
                    index.replace("stripe_events", "bench_events") for index in events["indexes"]
                ],
            },
        )
    return token


def main() -> None:
    """Parse the options, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each run lasts")
    options = parser.parse_args()
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(replace(plan_throwaway(Path(folder)), is_simulated=False)) as stack,
    ):

        async def run() -> dict[str, Any]:
            return await measure(stack, await prepare(stack), options.rounds, options.seconds)

        result = uvloop.run(run())
    print(f"took {time.monotonic() - started:.0f} s", file=sys.stderr)
    print(json.dumps(result) if options.json else result)
    if result["wrong_rows"] or result["lost_events"]:
        sys.exit("what is stored is not what was delivered")


if __name__ == "__main__":
    main()
