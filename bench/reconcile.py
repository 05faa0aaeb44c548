"""The first import of a large account, and the catch-up of missed events, during deliveries.

``python -m bench.reconcile [--json] [--objects N] [--events N] [--rate N]``

import     `gateway reconcile --objects-only` into an empty PocketBase: rows and requests. It is
           killed with SIGKILL at 40 % of the objects and started again. Afterwards every object at
           the simulator is compared with its row
catch_up   `gateway reconcile --events-only` into another empty PocketBase: events per second
p50, p99   of deliveries from their due time, in ms: `usual` before the command, the others while
           it runs; `ratio` divides by the usual of the same PocketBase

``--rate`` is Stripe's limit of requests per second, which the simulator enforces by 429; the
command keeps to four fifths of it. Payment methods take a request per customer, so their rate is
that of the limit: they are imported only with ``--cards``. With real-time priority (``chrt -r 20``)
the command and the simulator get one less: the command lowers its own priority with `nice`, and
Stripe does not run on this machine.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import uvloop

from bench.large_account import LISTS, Account, Deliveries, count_rows
from bench.processes import Meter
from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack

#: Share of Stripe's limit that the command uses.
_SHARE = 0.8
_KILLED_AT = 0.4
_WARM_UP_SECONDS = 5.0
_POLL_SECONDS = 0.5


@contextmanager
def run_account(objects: int, events: int) -> Iterator[tuple[Stack, Account]]:
    """Run a stack with an empty PocketBase and a large simulated account that delivers nothing."""
    with tempfile.TemporaryDirectory() as folder:
        env = {"GATEWAY_LOG_LEVEL": "WARNING"}
        with Stack(plan_throwaway(Path(folder), env)) as stack:
            give_way(stack.simulator.pid)
            account = Account(stack.simulator.url, stack.simulator.stripe.secret_key)
            account.control("deliveries", {"paused": True})
            account.control("large_account", {"objects": objects, "events": events})
            yield stack, account


def give_way(pid: int) -> None:
    """Lower a process's real-time priority, if this process has one."""
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0).sched_priority
    if policy in (os.SCHED_RR, os.SCHED_FIFO) and priority > 1:
        os.sched_setparam(pid, os.sched_param(priority - 1))


class Command:
    """A running `gateway reconcile`; its output goes to a log file."""

    def __init__(self, stack: Stack, log: Path, options: tuple[str, ...]) -> None:
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "reconcile", "--json", *options],
                env=stack.gateway.env,
                cwd=stack.gateway.cwd,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        give_way(self._process.pid)
        self._meter = Meter(self._process.pid)
        self.rss_mb = self.cpu_ms = 0.0

    async def wait(self, is_enough: Callable[[], bool] = lambda: False) -> None:
        """Wait until it ends, or a condition holds."""
        while self._process.poll() is None and not await asyncio.to_thread(is_enough):
            try:
                self.rss_mb = max(self.rss_mb, self._meter.rss_mb)
                self.cpu_ms = self._meter.cpu_ms
            except psutil.Error:
                break
            await asyncio.sleep(_POLL_SECONDS)

    def require_success(self) -> None:
        """Exit if it failed."""
        if self._process.wait():
            raise SystemExit(f"gateway reconcile failed:\n{self._log.read_text()[-2000:]}")

    def kill(self) -> None:
        """End it as a crash does."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


@dataclass(slots=True)
class Measurement:
    """The measurement of commands on one stack."""

    stack: Stack
    account: Account
    deliveries: Deliveries
    rate: float
    commands: list[Command] = field(default_factory=list)
    usual: tuple[float, float] = (0.0, 0.0)
    started: float = 0.0
    ended: float = 0.0
    requests: int = 0
    refused: int = 0

    @property
    def log(self) -> Path:
        """The output of the commands."""
        return self.stack.plan.folder / "reconcile.log"

    @property
    def database(self) -> Path:
        """PocketBase's database file."""
        return self.stack.pocketbase.data_dir / "data.db"

    def start(self, *options: str) -> Command:
        """Start a command at four fifths of Stripe's limit."""
        options = (*options, "--rate", f"{self.rate * _SHARE:g}")
        self.commands.append(Command(self.stack, self.log, options))
        return self.commands[-1]

    async def measure_usual(self, seconds: float) -> None:
        """Deliver without a command, then set Stripe's limit."""
        await asyncio.sleep(_WARM_UP_SECONDS)
        started = time.monotonic()
        await asyncio.sleep(seconds)
        self.usual = self._percentiles(started, time.monotonic())
        self.account.control("rate_limit", {"per_second": self.rate})
        self._count(-1)
        self.started = time.monotonic()

    async def end(self, deliveries: "asyncio.Task[None]") -> None:
        """Wait for the last command and the deliveries."""
        await self.commands[-1].wait()
        self.commands[-1].require_success()
        self.ended = time.monotonic()
        self._count(1)
        self.account.control("rate_limit", {"per_second": None})
        self.deliveries.is_ending = True
        await deliveries

    def _count(self, sign: int) -> None:
        counts = self.account.count_requests()
        self.requests += sign * counts.get("GET", 0)
        self.refused += sign * counts.get("429", 0)

    def _percentiles(self, since: float, until: float) -> tuple[float, float]:
        return (
            self.deliveries.percentile(0.5, since, until),
            self.deliveries.percentile(0.99, since, until),
        )

    def describe(self, name: str, unit: str, number: int) -> dict[str, Any]:
        """Return the figures of a number of rows or events."""
        seconds = self.ended - self.started
        p50, p99 = self._percentiles(self.started, self.ended)
        return {
            f"{name}_{unit}": number,
            f"{name}_seconds": round(seconds, 1),
            f"{name}_{unit}_per_s": round(number / seconds),
            f"{name}_requests": self.requests,
            f"{name}_requests_refused": self.refused,
            f"{name}_rss_mb": round(max(each.rss_mb for each in self.commands), 1),
            f"{name}_cpu_ms_per_row": round(sum(c.cpu_ms for c in self.commands) / number, 3),
            f"{name}_deliveries_refused": self.deliveries.refused,
            f"{name}_usual_p50_ms": round(self.usual[0], 1),
            f"{name}_usual_p99_ms": round(self.usual[1], 1),
            f"{name}_p50_ms": round(p50, 1),
            f"{name}_p99_ms": round(p99, 1),
            f"{name}_p50_ratio": round(p50 / self.usual[0], 2),
            f"{name}_p99_ratio": round(p99 / self.usual[1], 2),
        }


def open_measurement(stack: Stack, account: Account, given: argparse.Namespace) -> Measurement:
    """Return the measurement of a stack, with its deliveries."""
    secret = stack.gateway.env["STRIPE_WEBHOOK_SECRETS"]
    deliveries = Deliveries(account, stack.plan.ports.gateway, secret, given.deliveries)
    return Measurement(stack, account, deliveries, given.rate)


async def measure_import(given: argparse.Namespace) -> dict[str, Any]:
    """Import, killed once, while deliveries arrive; compare everything."""
    with run_account(given.objects, 0) as (stack, account):
        measured = open_measurement(stack, account, given)
        delivering = asyncio.create_task(measured.deliveries.run())
        names = {name for name in LISTS if given.cards or name != "payment_methods"}
        options = ("--objects-only", "--only", ",".join(sorted(names)))
        await measured.measure_usual(given.seconds)
        enough = given.objects * _KILLED_AT
        first = measured.start(*options)
        await first.wait(lambda: count_rows(measured.database, names) >= enough)
        first.kill()
        rows_at_kill = count_rows(measured.database, names)
        measured.start(*options)
        await measured.end(delivering)
        rows = count_rows(measured.database, names)
        return {
            **measured.describe("import", "rows", rows),
            "rows_at_kill": rows_at_kill,
            "is_continued": "continued at" in measured.log.read_text(),
            "pocketbase_rss_mb": round(Meter(stack.pocketbase.pid).rss_mb, 1),
            **account.compare(measured.database, names),
        }


async def measure_catch_up(given: argparse.Namespace) -> dict[str, Any]:
    """Handle missed events while deliveries arrive; every event must be stored."""
    with run_account(given.events // 4, given.events) as (stack, account):
        measured = open_measurement(stack, account, given)
        delivering = asyncio.create_task(measured.deliveries.run())
        await measured.measure_usual(given.seconds)
        measured.start("--events-only")
        await measured.end(delivering)
        events = count_rows(measured.database, {"stripe_events"})
        return {
            **measured.describe("catch_up", "events", events),
            "lost_events": account.count_events() - events,
        }


def main() -> None:
    """Parse the options, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    parser.add_argument("--objects", type=int, default=40_000)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=100.0, help="Stripe's limit per second")
    parser.add_argument("--cards", action="store_true", help="import payment methods as well")
    parser.add_argument("--deliveries", type=float, default=40.0, help="deliveries per second")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the usual")
    given = parser.parse_args()

    async def run() -> dict[str, Any]:
        return {**await measure_import(given), **await measure_catch_up(given)}

    result = uvloop.run(run())
    print(json.dumps(result, indent=None if given.json else 2))
    if result["wrong_rows"] or result["lost_events"]:
        sys.exit("the stored rows don't match the account")


if __name__ == "__main__":
    main()
