"""Query plans of the exchange: its cost must not grow with the items that are done."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from gateway.dev.plan import plan_throwaway
from gateway.dev.pocketbase import PocketBaseProcess
from gateway.dev.stack import Stack
from tests.http_client import open_client
from tests.pocketbase_alone import serve_alone
from tests.superuser import log_in_superuser

#: The beginning of a statement in PocketBase's log in --dev mode, and of the line after one.
_STATEMENT = re.compile(r"^\[\d+\.\d+ms\] ", re.MULTILINE)
_LOG_LINE = re.compile(r"\n(?:INFO|WARN|ERROR|DEBUG) ")


@pytest.fixture
def logging_server(tmp_path: Path) -> Iterator[PocketBaseProcess]:
    """PocketBase alone, which logs its statements."""
    part = Stack(plan_throwaway(tmp_path)).pocketbase
    part.command += ("--dev",)
    with serve_alone(part):
        yield part


async def test_an_exchange_scans_no_table(logging_server: PocketBaseProcess) -> None:
    """Claims, renewals and results of tasks and events find their rows by an index."""
    ids = [token_hex(7) + "0" for _ in range(4)]
    async with open_client() as http:
        headers = {"Authorization": log_in_superuser(logging_server)}

        async def post(path: str, body: dict[str, Any]) -> Any:
            url = f"{logging_server.url}/api/gateway/work/{path}"
            return (await http.post(url, json=body, headers=headers)).raise_for_status().json()

        kinds = ("task", "event", "task", "event")
        items = [
            {"id": id, "kind": kind, "handler": "tests.plan", "key": kind, "source": "evt_1"}
            for id, kind in zip(ids, kinds, strict=True)
        ]
        await post("enqueue", {"items": items})
        before = len(logging_server.log.read_text(errors="replace"))
        settle: list[dict[str, Any]] = []
        renew: list[dict[str, Any]] = []
        for _ in range(3):
            limits = [{"name": "tests.plan", "limit": 2}]
            asked = {"token": token_hex(8), "handlers": limits, "limit": 2, "lease_seconds": 60}
            claimed = (await post("exchange", asked | {"settle": settle, "renew": renew}))["items"]
            held = [{"id": item["id"], "claim": item["claim"]} for item in claimed]
            settle, renew = [each | {"status": "done"} for each in held[:1]], held[1:]
    plans = _explain(logging_server, before)
    assert any("idx_gateway_work_due" in step for _, step in plans)
    assert [each for each in plans if re.match(r"SCAN (gateway_work|item|other)\b", each[1])] == []


def _explain(server: PocketBaseProcess, start: int) -> list[tuple[str, str]]:
    """Return the steps of the statements on the queue, each with its statement."""
    log = server.log.read_text(errors="replace")[start:]
    statements = [_LOG_LINE.split(part)[0].strip() for part in _STATEMENT.split(log)[1:]]
    with closing(sqlite3.connect(server.data_dir / "data.db")) as database:
        return [
            (statement, str(row[3]))
            for statement in statements
            if "gateway_work" in statement and statement.startswith(("SELECT", "UPDATE"))
            for row in database.execute(f"EXPLAIN QUERY PLAN {statement}")
        ]
