"""The cost of a delivery with a small and with a large database, in one run.

``python -m bench.growth [--json] [--events N] [--subscriptions N]``

Two PocketBases with a gateway each: one has 1,000 events and 1,000 subscriptions, the other
1,000,000 and 200,000 (the last 100,000 events with payload, the older ones pruned, as after
retention). Rounds alternate; events are of random subscriptions. Afterwards every statement of the
large PocketBase is explained: the benchmark fails if one scans a growing table of the gateway.
"""

import argparse
import json
import random
import re
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import uvloop

from bench.events import START, State, Subscriptions
from bench.processes import Meter
from bench.statements import explain, read_statements
from bench.wire import run_load
from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack
from gateway.ids import event_id, record_id
from gateway.mirror.event_change import decide
from gateway.stripe_api.event import parse

_SMALL = (1_000, 1_000)
_EVENTS_WITH_PAYLOAD = 100_000
_CLIENTS = 8


@dataclass(slots=True)
class Side:
    """One database: its processes, deliveries and results per round."""

    stack: Stack
    deliveries: Subscriptions
    gateway: Meter
    pocketbase: Meter
    cpu_ms: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)

    async def run(self, seconds: float) -> None:
        """Deliver for some seconds and store the cost per event."""
        self.gateway.restart()
        self.pocketbase.restart()
        port = self.stack.plan.ports.gateway
        load = await run_load(port, _CLIENTS, seconds, self.deliveries.deliver)
        if load.refused:
            raise SystemExit(f"{load.refused} deliveries were refused")
        cpu = self.gateway.cpu_ms + self.pocketbase.cpu_ms
        self.cpu_ms.append(cpu / len(load.latencies))
        self.p50_ms.append(load.percentile(0.5))


def fill(database: Path, events: int, subscriptions: int, deliveries: Subscriptions) -> None:
    """Write the rows that so many events would leave; PocketBase must not run."""
    with closing(sqlite3.connect(database)) as connection, connection:
        row = _project_subscription(deliveries)
        # The columns are those of a projection.
        insert = f"INSERT INTO subscriptions ({','.join(row)}) VALUES (:{',:'.join(row)})"  # noqa: S608
        connection.executemany(insert, _subscription_rows(row, subscriptions, deliveries))
        connection.executemany(
            "INSERT INTO stripe_events (id, stripe_id, type, outcome, attempts, object_id,"
            " created, received, payload) VALUES (?, ?, ?, 'applied', 1, ?, ?, ?, ?)",
            _event_rows(events, subscriptions, deliveries),
        )


def _project_subscription(deliveries: Subscriptions) -> dict[str, Any]:
    """Return the row of an event."""
    body = deliveries.event(0, 0, START - 10, State())
    state = decide(parse(body.decode())).state
    assert state
    return {
        name: json.dumps(value, separators=(",", ":")) if isinstance(value, dict | list) else value
        for name, value in {**state.row.record, "version": None}.items()
    }


def _subscription_rows(
    row: dict[str, Any], count: int, deliveries: Subscriptions
) -> Iterator[dict[str, Any]]:
    for number in range(count):
        stripe_id = deliveries.name(number)
        yield {
            **row,
            "id": record_id(stripe_id),
            "stripe_id": stripe_id,
            "customer": record_id(deliveries.customer(number)),
            "version": json.dumps([0, START - 10, START - 10, 1, f"evt_seed{number}"]),
        }


def _event_rows(
    count: int, subscriptions: int, deliveries: Subscriptions
) -> Iterator[tuple[Any, ...]]:
    chance = random.Random(1)
    kinds = ("customer.subscription.updated", "invoice.paid", "charge.succeeded")
    for number in range(count):
        stripe_id = f"evt_0{number:022}"
        created = START - count + number
        moment = time.strftime("%Y-%m-%d %H:%M:%S.000Z", time.gmtime(created))
        place = chance.randrange(subscriptions)
        payload = ""
        if count - number <= _EVENTS_WITH_PAYLOAD:
            payload = deliveries.event(number, place, START, State()).decode()
        yield (
            *(event_id(stripe_id, created), stripe_id, kinds[number % 3], deliveries.name(place)),
            *(moment, moment, payload),
        )


def open_side(exits: ExitStack, events: int, subscriptions: int) -> Side:
    """Fill a database, and start PocketBase and the gateway on it."""
    folder = Path(exits.enter_context(tempfile.TemporaryDirectory()))
    plan = replace(plan_throwaway(folder), is_simulated=False)
    stack = Stack(plan)
    deliveries = Subscriptions(
        subscriptions,
        plan.stripe.webhook_secrets[0],
        chance=random.Random(2),
    )
    with stack:
        pass  # PocketBase makes its tables at its first start.
    fill(stack.pocketbase.data_dir / "data.db", events, subscriptions, deliveries)
    exits.enter_context(stack)
    return Side(stack, deliveries, Meter(stack.gateway.pid), Meter(stack.pocketbase.pid))


async def measure(small: Side, large: Side, rounds: int, seconds: float) -> dict[str, float]:
    """Alternate between the sides; ratios are medians over the rounds."""
    for side in (small, large):
        await side.run(seconds)
    for side in (small, large):
        side.cpu_ms.clear()
        side.p50_ms.clear()
    for _ in range(rounds):
        for side in (small, large):
            await side.run(seconds)
    return {
        "growth_ratio": _ratio(large.cpu_ms, small.cpu_ms),
        "p50_ratio": _ratio(large.p50_ms, small.p50_ms),
        "cpu_ms_small": round(statistics.median(small.cpu_ms), 3),
        "cpu_ms_large": round(statistics.median(large.cpu_ms), 3),
    }


def _ratio(large: list[float], small: list[float]) -> float:
    return round(statistics.median(a / b for a, b in zip(large, small, strict=True)), 3)


def main() -> None:
    """Parse the options, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--subscriptions", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each run lasts")
    options = parser.parse_args()
    with ExitStack() as exits:
        print("filling the databases", file=sys.stderr)
        small = open_side(exits, *_SMALL)
        large = open_side(exits, options.events, options.subscriptions)
        result: dict[str, Any] = uvloop.run(measure(small, large, options.rounds, options.seconds))
        statements = read_statements(large.stack)
        large.stack.stop()
        scans = 0
        for statement, steps in explain(large.stack.pocketbase.data_dir / "data.db", statements):
            print(re.sub(r"\s+", " ", statement)[:300])
            for step in steps:
                scans += step.is_scan
                print(f"    {'!!' if step.is_scan else '  '} {step.text}")
        result["scans"] = scans
    print(json.dumps(result) if options.json else result)
    sys.exit(1 if scans else 0)


if __name__ == "__main__":
    main()
