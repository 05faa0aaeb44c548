"""The queue of background work, compared with creates in PocketBase, in one run.

``python -m bench.work [--json] [--items N] [--rows N]``

handled     items of an empty handler per second, with one worker and with four; ``handled_ratio``
            divides the former by the rate of PocketBase creates at 8 clients; ``events`` are items
            with a stored event of 5 kB and its current rows, the others are ticks
webhooks    deliveries per second with one handler per event, divided by those without a handler
start       from the answer of a delivery to the handler's first line, on the process that committed
            it; and from adding an item to its end, if another process has to find it
idle        calls to PocketBase per second of an idle gateway, and whether it writes
claim       time of the exchange that claims one item, with ``--rows`` finished rows in the table
            divided by without
"""

import argparse
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
import uvloop

from bench.events import Subscriptions
from bench.wire import encode, run_load
from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack

_EVENTS = "bench.work_app.nothing"
_TICKS = "schedule:bench.work_app.tick"
_METRICS_TOKEN = "token-of-the-benchmark"
_ENQUEUE_ITEMS = 500
_ROUNDS = 3
_CLIENTS = 32
_STARTS = 100
_CLAIMS = 300
_WAIT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Side:
    """A running stack with a superuser's client."""

    stack: Stack
    pocketbase: httpx.Client

    @property
    def database(self) -> Path:
        """PocketBase's database file."""
        return self.stack.pocketbase.data_dir / "data.db"

    def post(self, path: str, body: Any) -> Any:
        """Call a route of the hooks."""
        return self.pocketbase.post(f"/api/gateway/{path}", json=body).raise_for_status().json()

    def read(self, sql: str) -> list[tuple[Any, ...]]:
        """Query the database file."""
        with closing(sqlite3.connect(self.database, timeout=30)) as connection:
            return connection.execute(sql).fetchall()


@contextmanager
def run_stack(app: str) -> Iterator[Side]:
    """Run PocketBase and a gateway; the simulator is not needed."""
    with tempfile.TemporaryDirectory() as folder:
        env = {
            "GATEWAY_APP": app,
            "GATEWAY_LOG_LEVEL": "WARNING",
            "GATEWAY_METRICS_TOKEN": _METRICS_TOKEN,
        }
        stack = Stack(plan_throwaway(Path(folder), {k: v for k, v in env.items() if v}))
        try:
            stack.pocketbase.ensure_superuser()
            for part in (stack.pocketbase, stack.gateway):
                part.start()
                part.wait_healthy()
            stack.gateway.wait_ready()
            with httpx.Client(base_url=stack.pocketbase.url, trust_env=False, timeout=60) as client:
                client.headers["Authorization"] = _sign_in(client, stack)
                yield Side(stack, client)
        finally:
            stack.stop()


def _sign_in(client: httpx.Client, stack: Stack) -> str:
    identity = stack.pocketbase.superuser_email, stack.pocketbase.superuser_password
    body = dict(zip(("identity", "password"), identity, strict=True))
    answer = client.post("/api/collections/_superusers/auth-with-password", json=body)
    return str(answer.raise_for_status().json()["token"])


@contextmanager
def run_workers(side: Side, number: int) -> Iterator[None]:
    """Run `gateway worker` some times."""
    with ExitStack() as ends:
        for _ in range(number):
            process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "worker"], env=side.stack.gateway.env
            )
            ends.callback(process.wait, 30)
            ends.callback(process.terminate)
        yield


def measure_handled(side: Side, workers: int, items: int, handler: str) -> float:
    """Return the items per second that some workers handle."""
    side.post("work/pause", {"handler": handler, "paused": True})
    # Deliveries have stored them; each is handled once more.
    events = [row[0] for row in side.read("SELECT stripe_id FROM stripe_events")[:items]]
    items = len(events)
    for start in range(0, items, _ENQUEUE_ITEMS):
        part = events[start : start + _ENQUEUE_ITEMS]
        side.post("work/enqueue", {"items": [_item(handler, event) for event in part]})
    with run_workers(side, workers):
        time.sleep(5)  # Until all have started and wait.
        side.post("work/pause", {"handler": handler, "paused": False})
        left = _wait_until_begun(side, items)
        started = time.perf_counter()
        _wait_until_empty(side)
        return left / (time.perf_counter() - started)


def _item(handler: str, event: str) -> dict[str, Any]:
    subject = {"kind": "", "collection": "", "record": "", "customer": "", "created": ""}
    tick = {"tick": "2026-11-27 03:00:00.000Z", "missed": False}
    return {
        "id": token_hex(8)[:15],
        "kind": "event" if handler == _EVENTS else "tick",
        "handler": handler,
        "source": event,
        "payload": subject if handler == _EVENTS else tick,
    }


_OPEN_ITEMS = "SELECT count(*) FROM gateway_work WHERE status IN ('waiting', 'running')"


def _wait_until_begun(side: Side, items: int) -> int:
    """Wait until a worker has looked, which takes up to two seconds; return the open items."""
    ends = time.monotonic() + _WAIT_SECONDS
    while (left := int(side.read(_OPEN_ITEMS)[0][0])) == items and time.monotonic() < ends:
        time.sleep(0.01)
    return left


def _wait_until_empty(side: Side) -> None:
    ends = time.monotonic() + _WAIT_SECONDS
    while side.read(_OPEN_ITEMS)[0][0]:
        if time.monotonic() > ends:
            raise SystemExit(f"the queue is not empty after {_WAIT_SECONDS:g} s")
        time.sleep(0.05)


async def measure_creates(side: Side, seconds: float) -> float:
    """Return PocketBase creates per second, 5 kB each, at 8 clients."""
    token = str(side.pocketbase.headers["Authorization"])
    body = json.dumps({"text": "x" * 5000}).encode()
    request = encode(
        "POST", "/api/collections/bench_rows/records", body, [("Authorization", token)]
    )
    load = await run_load(side.stack.plan.ports.pocketbase, 8, seconds, lambda: request)
    return load.rate


def add_collection(side: Side) -> None:
    """Add the collection that creates are measured in."""
    field = {"name": "text", "type": "text", "max": 10000}
    body = {"name": "bench_rows", "type": "base", "fields": [field]}
    side.pocketbase.post("/api/collections", json=body).raise_for_status()


async def measure_webhooks(sides: dict[str, Side], seconds: float) -> float:
    """Return the median ratio of the rates with and without a handler."""
    deliveries = {name: Subscriptions(500, _secret(side)) for name, side in sides.items()}
    ratios = []
    for turn in range(_ROUNDS + 1):
        rates = {}
        for name, side in sides.items():
            load = await run_load(
                side.stack.plan.ports.gateway, _CLIENTS, seconds, deliveries[name].deliver
            )
            rates[name] = load.rate
            _wait_until_empty(side)
        if turn:  # The first warms up.
            ratios.append(rates["handler"] / rates["plain"])
    return statistics.median(ratios)


def _secret(side: Side) -> str:
    return str(side.stack.gateway.env["STRIPE_WEBHOOK_SECRETS"])


def measure_start(side: Side) -> float:
    """Return the median milliseconds from a delivery's answer to the handler's first line."""
    deliveries = Subscriptions(500, _secret(side))
    url = side.stack.gateway.url
    answered: list[float] = []
    with httpx.Client(trust_env=False, timeout=30) as client:
        before = set(client.get(f"{url}/bench/starts").json())
        for _ in range(_STARTS):
            _deliver(client, url, deliveries.deliver())
            answered.append(time.time())
            time.sleep(0.02)
        _wait_until_empty(side)
        starts = client.get(f"{url}/bench/starts").json()
    called = sorted(at for event, at in starts.items() if event not in before)
    pairs = zip(sorted(answered), called, strict=True)
    return statistics.median(max(0.0, at - answer) * 1000 for answer, at in pairs)


def _deliver(client: httpx.Client, url: str, request: bytes) -> None:
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")[1:]
    headers = dict(line.split(": ", 1) for line in lines)
    client.post(f"{url}/webhooks/stripe", content=body, headers=headers).raise_for_status()


def measure_found(side: Side) -> float:
    """Return the median milliseconds until a process that was not woken has handled an item."""
    times = []
    for (event,) in side.read("SELECT stripe_id FROM stripe_events LIMIT 7"):
        started = time.perf_counter()
        side.post("work/enqueue", {"items": [_item(_EVENTS, event)]})
        _wait_until_empty(side)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def measure_idle(side: Side, seconds: float) -> tuple[float, int]:
    """Return calls to PocketBase per second of an idle gateway, and the writes to the queue."""
    # One connection: SQLite counts commits of others since its own last look.
    with closing(sqlite3.connect(side.database)) as connection:
        side.read("SELECT 1")
        calls = _count_calls(side)
        changes = 0
        version = connection.execute("PRAGMA data_version").fetchone()[0]
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            time.sleep(0.05)
            found = connection.execute("PRAGMA data_version").fetchone()[0]
            changes += found != version
            version = found
    return (_count_calls(side) - calls) / seconds, changes


def _count_calls(side: Side) -> float:
    headers = {"Authorization": f"Bearer {_METRICS_TOKEN}"}
    text = httpx.get(f"{side.stack.gateway.url}/metrics", headers=headers, trust_env=False).text
    lines = [
        line for line in text.splitlines() if line.startswith("gateway_pocketbase_calls_total")
    ]
    return sum(float(line.split()[-1]) for line in lines)


def measure_claim(side: Side) -> float:
    """Return the median milliseconds of an exchange that settles and claims one item."""
    handler = "bench.claims"
    items = [_item(handler, "") for _ in range(_CLAIMS)]
    side.post("work/enqueue", {"items": items})
    times, settle = [], []
    for number in range(_CLAIMS):
        body = {
            "token": token_hex(16),
            "handlers": [{"name": handler, "limit": 1}],
            "limit": 1,
            "lease_seconds": 60,
            "settle": settle,
            "renew": [],
            "again": False,
        }
        started = time.perf_counter()
        answer = side.post("work/exchange", body)
        if number:
            times.append((time.perf_counter() - started) * 1000)
        settle = [
            {"id": item["id"], "claim": item["claim"], "status": "done", "version": item["version"]}
            for item in answer["items"]
        ]
    return statistics.median(times)


def fill(side: Side, rows: int) -> None:
    """Add finished rows, as months of work leave them."""
    with closing(sqlite3.connect(side.database, timeout=60)) as connection, connection:
        connection.execute(
            """
            WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
            INSERT INTO gateway_work (id, kind, handler, key, source, status, due, attempts, tries,
              seq, created, completed_at)
            SELECT printf('old%012d', n), 'event', 'bench.old', '', 'evt_' || n, 'done',
              '2026-01-01 00:00:00.000Z', 1, 20, -n, '2026-01-01 00:00:00.000Z',
              '2026-01-01 00:00:01.000Z' FROM numbers
            """,
            [rows],
        )


async def measure(items: int, rows: int, seconds: float) -> dict[str, Any]:
    """Run everything."""
    with run_stack("bench.work_app:app") as side, run_stack("") as plain:
        add_collection(side)
        webhooks = await measure_webhooks({"handler": side, "plain": plain}, seconds)
        start = measure_start(side)
        found = measure_found(side)
        calls, writes = measure_idle(plain, 10.0)
        side.stack.gateway.stop()
        handled, ratios, events = [], [], []
        for _ in range(_ROUNDS):
            creates = await measure_creates(side, seconds)
            handled.append(measure_handled(side, 1, items, _TICKS))
            ratios.append(handled[-1] / creates)
            events.append(measure_handled(side, 1, items, _EVENTS) / creates)
        four = measure_handled(side, 4, items, _TICKS)
        small = measure_claim(side)
        fill(side, rows)
        large = measure_claim(side)
    return {
        "handled_per_s_1": round(statistics.median(handled)),
        "handled_per_s_4": round(four),
        "handled_ratio": round(statistics.median(ratios), 3),
        "events_ratio": round(statistics.median(events), 3),
        "webhooks_ratio": round(webhooks, 3),
        "start_p50_ms": round(start, 1),
        "found_p50_ms": round(found),
        "idle_calls_per_s": round(calls, 2),
        "idle_writes": writes,
        "claim_ms": round(small, 2),
        "claim_growth_ratio": round(large / small, 3),
        "rows": rows,
    }


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print only the figures, as JSON")
    parser.add_argument("--items", type=int, default=5000, help="items per measurement")
    parser.add_argument("--rows", type=int, default=1_000_000, help="finished rows")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of a round")
    given = parser.parse_args()
    figures = uvloop.run(measure(given.items, given.rows, given.seconds))
    if given.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:20} {value}")


if __name__ == "__main__":
    main()
