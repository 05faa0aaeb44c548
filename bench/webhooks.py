"""Webhook deliveries compared with creates in PocketBase, on one machine in one run.

``python -m bench.webhooks [--json]``

create    one record per request by PocketBase's REST API: the event, 5 kB, in a collection with
          the columns and indexes of ``stripe_events``;
watched   the same, with a realtime subscriber who gets each record;
linked    signed events to the gateway, of customers who are users with 1 to 4 subscriptions and
          their entitlements: each becomes an event row and its subscription's row, and reaches a
          realtime subscriber; one in four changes a column that entitlements depend on;
changing  the same, but each event changes such a column;
unlinked  customers without a user, who have no entitlements.

Rounds of all sides alternate; ratios to ``create`` are medians over the rounds. ``cpu_ratio_c32``
is the CPU time of a linked delivery in gateway and PocketBase divided by that of a create.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import uvloop

from bench.customers import (
    add_users,
    customer_of,
    expected_entitlements,
    opening_events,
    stored_entitlements,
)
from bench.events import (
    START,
    State,
    Subscriptions,
    change_sometimes,
    change_status,
    encode_delivery,
)
from bench.processes import Meter
from bench.realtime import RealtimeCounter
from bench.rounds import Round, cpu_of, p50_of, p99_of, rate_of
from bench.wire import connect, encode, run_load
from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack

CLIENTS = (1, 8, 32)
#: The sides measured with each number of clients.
SIDES = {1: ("create", "linked", "unlinked"), 8: ("create", "linked", "unlinked")}
ALL_SIDES = ("create", "watched", "linked", "changing", "unlinked")
#: The collections of the sides that create records.
_CREATES = {"create": "bench_events", "watched": "bench_watched_events"}
_SUBSCRIPTIONS = 500


@dataclass(slots=True)
class Bench:
    """All sides over one running stack."""

    stack: Stack
    token: str
    #: By side.
    deliveries: dict[str, Subscriptions]
    gateway: Meter
    pocketbase: Meter
    rounds: dict[tuple[str, int], list[Round]] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=count)

    def create(self, collection: str) -> bytes:
        """Return the request of a plain create."""
        number = next(self._numbers)
        place = number % _SUBSCRIPTIONS
        record = {
            "stripe_id": f"evt_{number:020}",
            "type": "customer.subscription.updated",
            "outcome": "applied",
            "object_id": f"sub_{place}",
            "created": "2026-11-23 12:00:00.000Z",
        }
        payload = self.deliveries["unlinked"].event(number, place, START + number, State())
        # The same 5 kB as a delivery, at the same cost for the load generator.
        body = b'%b,"payload":%b}' % (json.dumps(record).encode()[:-1], payload)
        path = f"/api/collections/{collection}/records"
        return encode("POST", path, body, [("Authorization", self.token)])

    async def run(self, side: str, clients: int, seconds: float) -> None:
        """Run one side once and store the result."""
        ports = self.stack.plan.ports
        port, make = (
            (ports.pocketbase, partial(self.create, _CREATES[side]))
            if side in _CREATES
            else (ports.gateway, self.deliveries[side].deliver)
        )
        self.gateway.restart()
        self.pocketbase.restart()
        load = await run_load(port, clients, seconds, make)
        requests = len(load.latencies)
        self.rounds.setdefault((side, clients), []).append(
            Round(load, self.gateway.cpu_ms / requests, self.pocketbase.cpu_ms / requests)
        )

    def median(self, side: str, clients: int, measure: Callable[[Round], float]) -> float:
        """Return the median of a measure over the rounds."""
        return statistics.median(measure(each) for each in self.rounds[side, clients])

    def ratio(
        self, side: str, clients: int, measure: Callable[[Round], float], base: str = "create"
    ) -> float:
        """Return the median over the rounds of a side's measure divided by the base's."""
        pairs = zip(self.rounds[side, clients], self.rounds[base, clients], strict=True)
        return round(statistics.median(measure(b) / measure(a) for b, a in pairs), 3)


async def measure(stack: Stack, token: str, rounds: int, seconds: float) -> dict[str, Any]:
    """Run all rounds, then check the stored rows."""
    deliveries = build_deliveries(stack.gateway.env["STRIPE_WEBHOOK_SECRETS"])
    bench = Bench(stack, token, deliveries, Meter(stack.gateway.pid), Meter(stack.pocketbase.pid))
    opening = await open_customers(stack, deliveries)
    port = stack.plan.ports.pocketbase
    async with (
        RealtimeCounter(port, token, "subscriptions/*") as realtime,
        RealtimeCounter(port, token, f"{_CREATES['watched']}/*"),
    ):
        for side in ALL_SIDES:
            await bench.run(side, 8, 1.0)
        bench.rounds.clear()
        for clients in CLIENTS:
            for _ in range(rounds):
                for side in SIDES.get(clients, ALL_SIDES):
                    await bench.run(side, clients, seconds)
        sent = sum(each.sent for each in deliveries.values())
        seen = await realtime.wait(sent)
    _print_table(bench)
    refused = sum(r.load.refused for each in bench.rounds.values() for r in each)
    return {
        **describe_ratios(bench),
        "gateway_rss_mb": round(bench.gateway.rss_mb, 1),
        "pocketbase_rss_mb": round(bench.pocketbase.rss_mb, 1),
        "refused": refused,
        "deliveries": sent,
        "realtime_events": seen,
        "lost_events": opening + sent - await _count_events(stack, token),
        **await _count_wrong(stack, token, deliveries),
    }


def build_deliveries(secret: str) -> dict[str, Subscriptions]:
    """Return the deliveries by side; each side has its own customers."""
    sides = {
        "linked": (change_sometimes, customer_of),
        "changing": (change_status, customer_of),
        "unlinked": (change_status, int),
    }
    started = int(time.time() * 1000)
    return {
        side: Subscriptions(
            _SUBSCRIPTIONS, secret, course=course, customer_of=customer,
            prefix=f"{started:x}{number}",
        )
        for number, (side, (course, customer)) in enumerate(sides.items())
    }  # fmt: skip


def describe_ratios(bench: Bench) -> dict[str, float]:
    """Return the ratios to PocketBase creates, of linked customers unless the name has a side."""
    return {
        **{f"ratio_c{clients}": bench.ratio("linked", clients, rate_of) for clients in CLIENTS},
        "p50_ratio_c1": bench.ratio("linked", 1, p50_of),
        "p99_ratio_c32": bench.ratio("linked", 32, p99_of),
        **{
            f"unlinked_ratio_c{clients}": bench.ratio("unlinked", clients, rate_of)
            for clients in CLIENTS
        },
        "changing_ratio_c32": bench.ratio("changing", 32, rate_of),
        "watched_ratio_c32": bench.ratio("linked", 32, rate_of, base="watched"),
        "cpu_ratio_c32": bench.ratio("linked", 32, cpu_of),
    }


async def open_customers(stack: Stack, deliveries: dict[str, Subscriptions]) -> int:
    """Deliver the products, and the customers with their users; return the number of events."""
    opening = 0
    async with connect(stack.plan.ports.gateway) as connection:
        for side, each in deliveries.items():
            if each.customer_of is not customer_of:
                continue
            add_users(stack.pocketbase.data_dir / "data.db", side, each.count)
            for event in opening_events(side, each):
                status, answer = await connection.send(encode_delivery(event, each.secret))
                assert status == 200, answer
                opening += 1
    return opening


def _print_table(bench: Bench) -> None:
    print("    side clients   rate/s  p50 ms  p99 ms  CPU ms/event: gateway  PocketBase")
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
        print(f"{side:>8} {clients:7} {values[0]:8.0f} {values[1]:7.2f} {values[2]:7.2f}"
              f" {values[3]:25.3f} {values[4]:11.3f}")  # fmt: skip


async def _count_events(stack: Stack, token: str) -> int:
    url, headers = stack.pocketbase.url, {"Authorization": token}
    async with httpx.AsyncClient(trust_env=False, headers=headers, base_url=url) as client:
        answer = await client.get("/api/collections/stripe_events/records", params={"perPage": 1})
    return int(answer.json()["totalItems"])


async def _count_wrong(
    stack: Stack, token: str, deliveries: dict[str, Subscriptions]
) -> dict[str, int]:
    """Compare every subscription's row with its newest event, and all entitlements."""
    url, headers = stack.pocketbase.url, {"Authorization": token}
    path, rows = "/api/collections/subscriptions/records", {}
    async with httpx.AsyncClient(trust_env=False, headers=headers, base_url=url) as client:
        for page in range(1, 3):
            answer = await client.get(path, params={"perPage": 1000, "page": page})
            rows |= {row["stripe_id"]: row for row in answer.json()["items"]}
    latest = {
        each.name(place): (created, state.status)
        for each in deliveries.values()
        for place, (created, state) in each.latest.items()
    }
    wrong = sum(
        1
        for subscription, (created, status) in latest.items()
        if (row := rows.get(subscription)) is None
        or row["status"] != status
        or json.loads(row["version"])[1] != created
    )
    expected = {
        key: entitlement
        for side, each in deliveries.items()
        if each.customer_of is customer_of
        for key, entitlement in expected_entitlements(side, each).items()
    }
    stored = stored_entitlements(stack.pocketbase.data_dir / "data.db")
    differing = sum(expected.get(key) != stored.get(key) for key in expected.keys() | stored)
    return {"wrong_rows": wrong, "entitlements": len(stored), "wrong_entitlements": differing}


async def prepare(stack: Stack) -> str:
    """Create the collections of ``create`` and ``watched``; return the superuser's token."""
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
        for name in _CREATES.values():
            await client.post("/api/collections", headers=headers, json=_copy_of(events, name))
    return token


def _copy_of(collection: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a new collection with the same columns and indexes."""
    return {
        "name": name,
        "type": "base",
        "fields": [{k: v for k, v in f.items() if k != "id"} for f in collection["fields"]],
        "indexes": [index.replace(collection["name"], name) for index in collection["indexes"]],
    }


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
    if result["wrong_rows"] or result["wrong_entitlements"] or result["lost_events"]:
        sys.exit("the stored rows don't match the deliveries")


if __name__ == "__main__":
    main()
