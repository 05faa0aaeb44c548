"""Worker processes of one PocketBase, with or without PostgreSQL, to kill and pause."""

import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.plan import StackPlan
from gateway.dev.ports import LOOPBACK, pick_free
from gateway.dev.stack import Stack
from tests.deadline import wait_until

HANDLER = "job.note"
METRICS_TOKEN = "a-token-of-a-test-only"


class Crew:
    """Three processes of `gateway worker`."""

    def __init__(self, plan: StackPlan, folder: Path, database: str) -> None:
        self.notes = folder / "notes"
        self.notes.touch()
        self.workers = [self._describe(plan, folder, number, database) for number in range(3)]

    def _describe(
        self, plan: StackPlan, folder: Path, number: int, database: str
    ) -> GatewayProcess:
        worker = Stack(plan).gateway
        worker.name = f"worker {number}"
        port = pick_free()
        worker.url = f"http://{LOOPBACK}:{port}"
        worker.command = (sys.executable, "-m", "gateway", "worker", f"--port={port}")
        worker.log = folder / f"worker-{number}.log"
        worker.env |= {
            "GATEWAY_APP": "tests.relay.app:app",
            "GATEWAY_DATABASE_URL": database,
            "GATEWAY_METRICS_TOKEN": METRICS_TOKEN,
            "RELAY_NOTES": str(self.notes),
        }
        return worker

    def start(self, number: int) -> None:
        """Start a worker and wait until it takes work."""
        worker = self.workers[number]
        worker.start()
        wait_until(lambda: "worker started" in "\n".join(worker.read_last_lines(200)), within=60)

    def kill(self, number: int) -> None:
        """End a worker by SIGKILL."""
        self.workers[number].kill()

    def read_notes(self) -> dict[str, list[tuple[str, int]]]:
        """Return the runs by item: each one's order key and number."""
        runs: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for line in self.notes.read_text().splitlines():
            id, key, number = line.split()
            runs[id].append((key, int(number)))
        return runs

    def read_order(self) -> dict[str, list[int]]:
        """Return each order key's numbers, as they ran for the first time."""
        order: dict[str, list[int]] = defaultdict(list)
        for line in self.notes.read_text().splitlines():
            _, key, number = line.split()
            if int(number) not in order[key]:
                order[key].append(int(number))
        return order

    def count_runs(self) -> int:
        """Return the number of runs so far."""
        return len(self.notes.read_text().splitlines())


@contextmanager
def open_crew(plan: StackPlan, folder: Path, database: str) -> Iterator[Crew]:
    """Start the workers; end them with the block.

    Args:
        database: PostgreSQL's address, "" for none.
    """
    crew = Crew(plan, folder, database)
    try:
        for number in range(len(crew.workers)):
            crew.start(number)
        yield crew
    finally:
        for worker in crew.workers:
            worker.resume()
            worker.stop()
