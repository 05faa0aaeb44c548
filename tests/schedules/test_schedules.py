"""One run per tick, with several gateways, failures and downtimes."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack
from tests.deadline import wait_until
from tests.second_gateway import inherit_settings, run_second_gateway


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stack]:
    """A stack with the app of ticking.py."""
    env = {"GATEWAY_APP": "tests.schedules.ticking:app", "NOTES": str(tmp_path / "notes")}
    with Stack(plan_throwaway(tmp_path / "stack", env)) as made:
        made.gateway.wait_ready()
        yield made


@pytest.fixture
def second(own: Stack, tmp_path: Path) -> Iterator[GatewayProcess]:
    """A second gateway with the same app."""
    with run_second_gateway(own, tmp_path / "second.log", **inherit_settings(own)) as gateway:
        gateway.wait_ready()
        yield gateway


def _read(own: Stack, schedule: str) -> list[dict[str, Any]]:
    file = Path(own.plan.gateway_env["NOTES"])
    lines = file.read_text().splitlines() if file.exists() else []
    return [each for each in map(json.loads, lines) if each["schedule"] == schedule]


def _query(own: Stack, sql: str, *values: str) -> list[Any]:
    file = own.pocketbase.data_dir / "data.db"
    with closing(sqlite3.connect(file, timeout=10)) as database, database:
        return database.execute(sql, values).fetchall()


def _wait_known(own: Stack) -> None:
    count = (
        "SELECT count(*) FROM gateway_schedules WHERE latest != '' AND name NOT LIKE 'gateway.%'"
    )
    wait_until(lambda: _query(own, count) == [(4,)])


def test_one_run_per_tick(own: Stack, second: GatewayProcess) -> None:
    """Two gateways and failed attempts: no tick runs twice, and each failed one is repeated."""
    wait_until(lambda: len(_read(own, "every second")) >= 12, 40)
    runs = _read(own, "every second")
    times = [each["at"] for each in runs]
    assert sorted(set(times)) == times
    assert len({each["key"] for each in runs}) == len(runs)
    repeated = _query(own, "SELECT source FROM gateway_work WHERE status='done' AND attempts > 1")
    assert repeated
    assert {each.split()[-1][6:8] for [each] in repeated} <= {f"{5 * n:02}" for n in range(12)}


def test_a_new_schedule_begins_with_its_next_tick(own: Stack) -> None:
    """The night before the first start was not missed."""
    _wait_known(own)
    found = _query(own, "SELECT id FROM gateway_work WHERE handler LIKE 'schedule:night%'")
    assert found == []


def test_a_downtime(own: Stack) -> None:
    """A missed night runs once, or is left out; `missed` says which. Restarts change nothing."""
    _wait_known(own)
    own.gateway.stop()
    _query(own, "UPDATE gateway_schedules SET latest = '2026-01-01 03:00:00.000Z'")
    own.gateway.start()
    [run] = wait_until(lambda: _read(own, "night run"), within=60)
    assert run["missed"] is True
    assert "T03:00:00+0" in run["at"], "the time zone is the schedule's"
    for _ in range(2):
        own.gateway.stop()
        own.gateway.start()
        own.gateway.wait_ready()
        seen = len(_read(own, "every second"))
        wait_until(lambda: len(_read(own, "every second")) > seen)  # noqa: B023
    assert len(_read(own, "night run")) == 1
    assert _read(own, "night skip") == []
    stale = "SELECT name FROM gateway_schedules WHERE latest < '2026-01-02' AND name LIKE 'night%'"
    assert _query(own, stale) == []


def test_waiting_runs_are_replaced(own: Stack) -> None:
    """While a handler is paused, one run waits: that of the latest tick."""
    handler = "schedule:every second"
    paused = "INSERT INTO gateway_paused_handlers (id, handler) VALUES ('pausedpausedpau', ?)"
    _query(own, paused, handler)
    count = "SELECT count(*) FROM gateway_work WHERE handler=? AND status='cancelled'"
    wait_until(lambda: _query(own, count, handler)[0][0] >= 3, 20)
    waiting = (
        "SELECT count(*) FROM gateway_work WHERE handler=? AND status='waiting' AND attempts=0"
    )
    assert _query(own, waiting, handler)[0][0] == 1
