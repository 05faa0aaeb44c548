"""PocketBase's CPU time per event with several versions of the hooks, on the same commits.

``python -m bench.commits [--side linked] [--unwatched] [NAME=FOLDER …]``

One database with 500 subscriptions is copied for each run, and the same transactions of 16 events
are committed into each copy, two at a time as the gateway does. So the versions do the same work,
and the difference shows what a part costs that one of the folders leaves out. Runs alternate.
"""

import argparse
import asyncio
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import uvloop

from bench.events import Subscriptions
from bench.processes import Meter
from bench.realtime import RealtimeCounter
from bench.webhooks import build_deliveries, open_customers
from bench.wire import Connection, connect, encode
from gateway.dev.plan import StackPlan, plan_throwaway
from gateway.dev.pocketbase import PocketBaseProcess
from gateway.dev.stack import Stack
from gateway.mirror.event_change import decide
from gateway.pocketbase import PocketBase, commit
from gateway.pocketbase_files import HOOKS
from gateway.stripe_api.event import parse
from gateway.webhooks.batch import compose

_BATCH_EVENTS = 16
_CALLERS = 2
_WARM_UP = 40


@dataclass(frozen=True, slots=True)
class Recording:
    """A database, and the commits that follow on it."""

    plan: StackPlan
    data: Path
    bodies: Sequence[bytes]


class _Recorder:
    """Stores the bodies of commits instead of sending them."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def call(self, method: str, path: str, body: bytes, *, is_commit: bool) -> dict[str, Any]:
        self.bodies.append(body)
        head = json.loads(body.split(b"\x1e", 1)[0])
        conflicts = [None for _ in head["rows"]]
        return {"outcomes": ["applied" for _ in head["events"]], "conflicts": conflicts}


async def record(stack: Stack, side: str, commits: int) -> list[bytes]:
    """Give each subscription two events, and return the commits of the next ones."""
    deliveries = build_deliveries(stack.gateway.env["STRIPE_WEBHOOK_SECRETS"])
    await open_customers(stack, deliveries)
    subscriptions = deliveries[side]
    async with connect(stack.plan.ports.gateway) as connection:
        for _ in range(2 * subscriptions.count):
            await _send(connection, subscriptions.deliver())
    recorder = _Recorder()
    for _ in range(commits):
        changes = [decide(parse(_next_body(subscriptions))) for _ in range(_BATCH_EVENTS)]
        await commit(cast("PocketBase", recorder), compose(changes).batch)
    return recorder.bodies


def _next_body(subscriptions: Subscriptions) -> str:
    return subscriptions.deliver().split(b"\r\n\r\n", 1)[1].decode()


async def _send(connection: Connection, request: bytes) -> Any:
    status, answer = await connection.send(request)
    assert status == 200, answer
    return json.loads(answer)


def measure(recording: Recording, hooks: Path, *, is_watched: bool) -> float:
    """Commit everything with these hooks; return PocketBase's microseconds of CPU per event."""
    superuser = recording.plan.superuser
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(recording.data, Path(folder) / "pb_data")
        process = PocketBaseProcess(
            Path(folder) / "pb_data",
            recording.plan.ports.pocketbase,
            log=Path(folder) / "pocketbase.log",
            superuser_email=superuser.email,
            superuser_password=superuser.password,
            env={"GATEWAY_HOOK_SECRETS": recording.plan.hook_secrets},
        )
        process.command = tuple(
            f"--hooksDir={hooks}" if part.startswith("--hooksDir=") else part
            for part in process.command
        )
        process.start()
        try:
            process.wait_healthy()
            return uvloop.run(_replay(recording, process, is_watched))
        finally:
            process.stop()


async def _replay(recording: Recording, process: PocketBaseProcess, is_watched: bool) -> float:
    port = recording.plan.ports.pocketbase
    async with connect(port) as connection:
        login = {"identity": process.superuser_email, "password": process.superuser_password}
        path = "/api/collections/_superusers/auth-with-password"
        answer = await _send(connection, encode("POST", path, json.dumps(login).encode()))
    token = str(answer["token"])
    if not is_watched:
        return await _commit_all(recording.bodies, process, token, port)
    async with RealtimeCounter(port, token, "subscriptions/*"):
        return await _commit_all(recording.bodies, process, token, port)


async def _commit_all(
    bodies: Sequence[bytes], process: PocketBaseProcess, token: str, port: int
) -> float:
    await _commit(bodies[:_WARM_UP], token, port)
    meter = Meter(process.pid)
    await _commit(bodies[_WARM_UP:], token, port)
    return meter.cpu_ms * 1000 / (len(bodies) - _WARM_UP) / _BATCH_EVENTS


async def _commit(bodies: Sequence[bytes], token: str, port: int) -> None:
    waiting = list(reversed(bodies))

    async def call() -> None:
        while waiting:
            request = encode(
                "POST", "/api/gateway/commit", waiting.pop(), [("Authorization", token)]
            )
            # PocketBase ends a connection after an answer if realtime is slow.
            async with connect(port) as connection:
                await _send(connection, request)

    await asyncio.gather(*(call() for _ in range(_CALLERS)))


def main() -> None:
    """Parse the options, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("versions", nargs="*", metavar="NAME=FOLDER", help="copies of pb_hooks")
    parser.add_argument("--side", default="linked", choices=("linked", "changing", "unlinked"))
    parser.add_argument("--unwatched", action="store_true", help="without a realtime subscriber")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--commits", type=int, default=240)
    options = parser.parse_args()
    versions = {"hooks": HOOKS} | {
        name: Path(folder).resolve()
        for name, folder in (each.split("=", 1) for each in options.versions)
    }
    results: dict[str, list[float]] = {name: [] for name in versions}
    with tempfile.TemporaryDirectory() as folder:
        plan = replace(plan_throwaway(Path(folder)), is_simulated=False)
        stack = Stack(plan)
        with stack:
            bodies = uvloop.run(record(stack, options.side, options.commits))
        recording = Recording(plan, stack.pocketbase.data_dir, bodies)
        for number in range(options.rounds):
            print(f"round {number + 1}", file=sys.stderr)
            for name in list(versions)[:: 1 if number % 2 else -1]:
                results[name].append(
                    measure(recording, versions[name], is_watched=not options.unwatched)
                )
    first = statistics.median(results["hooks"])
    for name, each in results.items():
        median = statistics.median(each)
        print(f"{name:>12} {median:6.0f} µs per event {median / first:6.2f}")


if __name__ == "__main__":
    main()
