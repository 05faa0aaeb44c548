"""The time from a save of `app.py` until `gateway dev` serves the new code.

``python -m bench.reload [--json] [--saves N]``

A project that `gateway new` makes, with everything that it declares. Each save changes what one
endpoint returns; the bench polls it on one connection. The target is 2 s. A connection that ends
with the old server is opened again and counted.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from gateway.dev.ports import pick_free
from gateway.scaffold.project import create_project

_ENDPOINT = '\n\n@app.get("/version")\nasync def read_version() -> int:\n    return {number}\n'
_PORTS = ("POCKETBASE_PORT", "GATEWAY_PORT", "SIMULATOR_PORT")
_START_SECONDS = 60.0
_RELOAD_SECONDS = 30.0
_TARGET_SECONDS = 2.0
_POLL_SECONDS = 0.005


def main() -> int:
    """Measure, print, and return 1 if the slowest reload misses the target."""
    options = _parse_options()
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "shop"
        create_project(project)
        app = (project / "app.py").read_text()
        _save(project, app, 0)
        with _run_dev(project) as url, httpx.Client(base_url=url, trust_env=False) as client:
            results = [_measure(project, app, client, 1 + each) for each in range(options.saves)]
    times = [seconds for seconds, _ in results]
    figures = {
        "median_s": round(statistics.median(times), 3),
        "slowest_s": round(max(times), 3),
        "saves": len(times),
        "ended_connections": sum(ended for _, ended in results),
    }
    print(json.dumps(figures) if options.json else _describe(figures))
    return 0 if max(times) <= _TARGET_SECONDS else 1


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--saves", type=int, default=10)
    return parser.parse_args()


def _describe(figures: dict[str, float]) -> str:
    return "\n".join(f"{name:<12} {value}" for name, value in figures.items())


def _save(project: Path, app: str, number: int) -> None:
    (project / "app.py").write_text(app + _ENDPOINT.format(number=number))


def _measure(project: Path, app: str, client: httpx.Client, number: int) -> tuple[float, int]:
    """Save; return the seconds until the new number is served, and how many connections ended."""
    _save(project, app, number)
    saved, ended = time.monotonic(), 0
    while time.monotonic() - saved < _RELOAD_SECONDS:
        try:
            if client.get("/version").json() == number:
                return time.monotonic() - saved, ended
        except httpx.TransportError:
            ended += 1
        time.sleep(_POLL_SECONDS)
    raise SystemExit(f"save {number} was not served within {_RELOAD_SECONDS:g} s")


@contextmanager
def _run_dev(project: Path) -> Iterator[str]:
    """Run `gateway dev` and give the app's address."""
    ports = {name: str(pick_free()) for name in _PORTS}
    log = project.parent / "dev.log"
    with log.open("w") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "gateway", "dev"],
            cwd=project,
            env=os.environ | ports | {"PYTHONPATH": str(Path(__file__).parents[1])},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while "Ctrl-C ends everything" not in log.read_text():
            if child.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(log.read_text())
            time.sleep(0.1)
        yield f"http://127.0.0.1:{ports['GATEWAY_PORT']}"
    finally:
        child.terminate()
        child.wait(30)


if __name__ == "__main__":
    sys.exit(main())
