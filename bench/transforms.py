"""Creates in PocketBase with and without a transform, in one run.

``python -m bench.transforms [--json] [--rounds N] [--seconds S]``

One user creates posts by REST, with 1, 8 and 32 clients, in four ways:

(hookless) on a PocketBase without this repository's hooks;
(plain) in a collection of the same fields without a transform;
(empty) in one with a transform that changes nothing;
(posts) in the example project's, with a transform that sanitizes HTML and finds a slug.

Rounds alternate; differences and ratios are medians over the rounds.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import uvloop

from bench.processes import Meter
from bench.rounds import Round, p50_of, p99_of, rate_of
from bench.wire import encode, run_load
from gateway.dev.plan import StackPlan, plan_throwaway
from gateway.dev.pocketbase import ROOT, PocketBaseProcess
from gateway.dev.ports import pick_free
from gateway.dev.stack import Stack

CLIENTS = (1, 8, 32)
WAYS = ("hookless", "plain", "empty", "posts")
_COLLECTIONS = {"hookless": "bench_plain", "plain": "bench_plain", "empty": "bench_empty"}
_EXAMPLE = ROOT / "examples"
_BATCH = 50
_PARAGRAPH = "<p>PocketBase serves the frontend <em>directly</em>; the gateway says the rest.</p>\n"


@dataclass(frozen=True, slots=True)
class Side:
    """A PocketBase, and a user who creates posts."""

    pocketbase: PocketBaseProcess
    user: str
    token: str
    meter: Meter


@dataclass(slots=True)
class Bench:
    """All ways over running parts."""

    sides: dict[str, Side]
    gateway: Meter
    rounds: dict[tuple[str, int], list[Round]] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=count)

    def create(self, way: str) -> bytes:
        """Return the request that creates one post."""
        side = self.sides[way]
        path = f"/api/collections/{_COLLECTIONS.get(way, way)}/records"
        body = json.dumps(self._build_post(side)).encode()
        return encode("POST", path, body, [("Authorization", side.token)])

    def create_batch(self, way: str) -> bytes:
        """Return the request that creates a batch of posts."""
        side = self.sides[way]
        url = f"/api/collections/{_COLLECTIONS.get(way, way)}/records"
        requests = [
            {"method": "POST", "url": url, "body": self._build_post(side)} for _ in range(_BATCH)
        ]
        body = json.dumps({"requests": requests}).encode()
        return encode("POST", "/api/batch", body, [("Authorization", side.token)])

    def _build_post(self, side: Side) -> dict[str, Any]:
        return {
            "title": f"Post number {next(self._numbers)}",
            "content": _PARAGRAPH * 10,
            "author": side.user,
            "tags": ["python", "databases"],
        }

    async def run(
        self, way: str, clients: int, seconds: float, make: Callable[[str], bytes] | None = None
    ) -> Round:
        """Create for some seconds."""
        side = self.sides[way]
        self.gateway.restart()
        side.meter.restart()
        port = int(side.pocketbase.url.rsplit(":", 1)[1])
        load = await run_load(port, clients, seconds, lambda: (make or self.create)(way))
        if load.refused:
            raise SystemExit(f"{load.refused} requests were refused: {way}, {clients} clients")
        requests = len(load.latencies)
        return Round(load, self.gateway.cpu_ms / requests, side.meter.cpu_ms / requests)

    def pairs(self, way: str, other: str, clients: int) -> list[tuple[Round, Round]]:
        """The rounds of two ways, each with its neighbour."""
        return list(zip(self.rounds[way, clients], self.rounds[other, clients], strict=True))


async def measure(bench: Bench, rounds: int, seconds: float) -> dict[str, Any]:
    """Run all rounds."""
    for way in WAYS:
        await bench.run(way, 8, 1.0)
    for clients in CLIENTS:
        for number in range(rounds):
            # In reverse order every other time, so that no way always follows another.
            for way in WAYS if number % 2 else reversed(WAYS):
                each = await bench.run(way, clients, seconds)
                bench.rounds.setdefault((way, clients), []).append(each)
    batches = [
        [await bench.run(way, 1, seconds, bench.create_batch) for way in ("plain", "empty")]
        for _ in range(rounds)
    ]
    _print_table(bench)
    result: dict[str, Any] = {}
    for clients in CLIENTS:
        result[f"added_p50_ms_c{clients}"] = _added(bench, "empty", clients)
        result[f"added_p50_ms_posts_c{clients}"] = _added(bench, "posts", clients)
        result[f"throughput_ratio_c{clients}"] = _ratio(bench, "empty", "plain", clients)
        result[f"no_transform_ratio_c{clients}"] = _ratio(bench, "plain", "hookless", clients)
    return result | {
        "batch_of_50_ratio": _median(rate_of(empty) / rate_of(plain) for plain, empty in batches),
        "gateway_rss_mb": round(bench.gateway.rss_mb, 1),
    }


def _added(bench: Bench, way: str, clients: int) -> float:
    return _median(p50_of(a) - p50_of(b) for a, b in bench.pairs(way, "plain", clients))


def _ratio(bench: Bench, way: str, other: str, clients: int) -> float:
    return _median(rate_of(a) / rate_of(b) for a, b in bench.pairs(way, other, clients))


def _median(values: Any) -> float:
    return round(statistics.median(values), 3)


def _print_table(bench: Bench) -> None:
    print("     way clients   rate/s  p50 ms  p99 ms  CPU ms/create: gateway  PocketBase")
    measures = (
        rate_of,
        p50_of,
        p99_of,
        lambda each: each.gateway_cpu_ms,
        lambda each: each.pocketbase_cpu_ms,
    )
    for way in WAYS:
        for clients in CLIENTS:
            done = bench.rounds[way, clients]
            rate, p50, p99, gateway, pocketbase = (
                statistics.median(measure(each) for each in done) for measure in measures
            )
            print(f"{way:>8} {clients:7} {rate:8.0f} {p50:7.2f} {p99:7.2f}"
                  f" {gateway:25.3f} {pocketbase:11.3f}")  # fmt: skip


def open_side(pocketbase: PocketBaseProcess) -> Side:
    """Create the collections and the user that a bench needs."""
    with httpx.Client(trust_env=False, base_url=f"{pocketbase.url}/api") as client:
        root = {"Authorization": _log_in(client, "_superusers", _superuser(pocketbase))}
        fields = client.get("/collections/posts", headers=root).raise_for_status().json()["fields"]
        for name in ("bench_plain", "bench_empty"):
            new = {
                "name": name,
                "type": "base",
                "createRule": "@request.auth.id != ''",
                # Required fields of the example are filled by its transform.
                "fields": [each | {"id": "", "required": False} for each in fields],
                "indexes": [f"CREATE INDEX idx_{name}_author ON {name} (author, published)"],
            }
            client.post("/collections", headers=root, json=new).raise_for_status()
        _allow_batches(client, root)
        login = {"identity": "author@example.com", "password": "correct-horse"}
        user = {
            "email": login["identity"],
            "password": login["password"],
            "passwordConfirm": login["password"],
        }
        user_id = (
            client.post("/collections/users/records", json=user).raise_for_status().json()["id"]
        )
        token = _log_in(client, "users", login)
    return Side(pocketbase, user_id, token, Meter(pocketbase.pid))


def _allow_batches(client: httpx.Client, root: dict[str, str]) -> None:
    batch = {"batch": {"enabled": True, "maxRequests": _BATCH, "timeout": 10}}
    client.patch("/settings", headers=root, json=batch).raise_for_status()


def _superuser(pocketbase: PocketBaseProcess) -> dict[str, str]:
    return {
        "identity": pocketbase.superuser_email,
        "password": pocketbase.superuser_password,
    }


def _log_in(client: httpx.Client, collection: str, login: dict[str, str]) -> str:
    answer = client.post(
        f"/collections/{collection}/auth-with-password", json=login
    ).raise_for_status()
    return str(answer.json()["token"])


def start_hookless(folder: Path, exits: ExitStack) -> PocketBaseProcess:
    """Start a PocketBase with the same migrations and no hooks."""
    pocketbase = PocketBaseProcess(
        folder / "pb_data",
        pick_free(),
        log=folder / "pocketbase.log",
        superuser_email="superuser@localhost.test",
        superuser_password="correct-horse",
        migrations=(_EXAMPLE / "pb_migrations",),
    )
    pocketbase.ensure_superuser()
    exits.callback(pocketbase.stop)
    # The migrations read names from the hooks.
    pocketbase.start()
    pocketbase.wait_healthy()
    pocketbase.stop()
    (folder / "no_hooks").mkdir()
    pocketbase.command += (f"--hooksDir={folder / 'no_hooks'}",)
    pocketbase.start()
    pocketbase.wait_healthy()
    return pocketbase


def _plan(folder: Path) -> StackPlan:
    path = os.pathsep.join((str(ROOT), str(_EXAMPLE)))
    env = {"GATEWAY_APP": "bench.transform_table:app", "PYTHONPATH": path}
    plan = plan_throwaway(folder, env)
    return replace(plan, is_simulated=False, migrations=(_EXAMPLE / "pb_migrations",))


def main() -> None:
    """Parse the options, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5, help="how long each run lasts")
    options = parser.parse_args()
    started = time.monotonic()
    with ExitStack() as exits:
        folders = [Path(exits.enter_context(tempfile.TemporaryDirectory())) for _ in range(2)]
        stack = exits.enter_context(Stack(_plan(folders[0])))
        hookless = open_side(start_hookless(folders[1], exits))
        here = open_side(stack.pocketbase)
        sides = {way: hookless if way == "hookless" else here for way in WAYS}
        bench = Bench(sides, Meter(stack.gateway.pid))
        result = uvloop.run(measure(bench, options.rounds, options.seconds))
    print(f"took {time.monotonic() - started:.0f} s", file=sys.stderr)
    print(json.dumps(result) if options.json else result)


if __name__ == "__main__":
    main()
