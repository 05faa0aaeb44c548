"""The queues of customer tasks and deferred work become items: nothing that is pending is lost."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from gateway.dev.pocketbase import PocketBaseProcess
from gateway.dev.stack import Stack
from gateway.ids import record_id
from tests.database import insert_rows
from tests.migrate import migrate, migrate_before

_NAME = "1763856320_customers_to_work.js"
_CREATED = "2026-11-27 09:00:00.000Z"
_DUE = "2026-11-27 10:00:00.000Z"
_TEAM = "organizations/team00000000001"

#: kind, payer, customer, outcome, version.
_TASKS = [
    ("update", "user00000000001", "cus_update", "", 2),
    ("update", "user00000000002", "cus_refused", "failed", 1),
    ("move", _TEAM, "cus_move", "", 1),
    ("move", "user00000000003", "cus_moved", "moved", 1),
    ("forget", "user00000000004", "cus_forget", "", 1),
    ("forget", "user00000000005", "cus_done", "canceled", 1),
    ("forget", "user00000000006", "", "none", 1),
    ("forget", _TEAM, "cus_reopened", "canceled", 0),
    ("promote", _TEAM, "", "promoted", 1),
]
_PARTS = [("features", "prod_1", "subscriptions/1"), ("owner", "customer0000001", "")]


def _tasks() -> list[dict[str, Any]]:
    return [
        {
            "id": f"task{number:011}",
            **dict(zip(("kind", "user", "customer", "outcome", "version"), task, strict=True)),
            "error": "400" if task[3] == "failed" else "",
            "attempts": 3,
            "address": "hash" if task[0] == "forget" else "",
            "created": _CREATED,
            "due": _DUE,
            "finished": _DUE if task[3] else "",
        }
        for number, task in enumerate(_TASKS)
    ]


def _parts() -> list[dict[str, Any]]:
    return [
        {
            "id": f"part{number:011}",
            **dict(zip(("kind", "object", "cursor"), part, strict=True)),
            "created": _CREATED,
            "updated": _DUE,
        }
        for number, part in enumerate(_PARTS)
    ]


@pytest.fixture
def earlier(fresh_stack: Callable[..., Stack]) -> PocketBaseProcess:
    """A stopped PocketBase before the migration, with tasks of each kind."""
    pocketbase = fresh_stack(start=False).pocketbase
    pocketbase.ensure_superuser()
    migrate(pocketbase, "up")
    migrate_before(pocketbase, _NAME)
    insert_rows(pocketbase, "gateway_customer_tasks", _tasks())
    insert_rows(pocketbase, "gateway_deferred_work", _parts())
    return pocketbase


def _read(pocketbase: PocketBaseProcess, table: str, *columns: str) -> set[tuple[Any, ...]]:
    with closing(sqlite3.connect(pocketbase.data_dir / "data.db")) as database:
        rows = database.execute(f"SELECT {','.join(columns)} FROM gateway_{table}")  # noqa: S608
        return set(rows.fetchall())


def test_what_is_pending_becomes_an_item(earlier: PocketBaseProcess) -> None:
    """With the ids of new changes; a refused one is parked, and deletions keep their record."""
    migrate(earlier, "up")
    columns = ("id", "handler", "key", "status", "error", "due", "payload", "state")
    found = _read(earlier, "work", *columns)
    by_key = {row[2]: row for row in found if row[1] == "gateway.customers.sync"}
    assert {key: row[3] for key, row in by_key.items()} == {
        "cus_update": "waiting",
        "cus_refused": "parked",
        "cus_move": "waiting",
        "cus_forget": "waiting",
    }
    assert by_key["cus_refused"][4] == "400"
    assert by_key["cus_update"][0] == record_id("gateway.customers.sync update cus_update")
    assert by_key["cus_update"][5] == _DUE
    deletion = json.loads(by_key["cus_forget"][6])
    assert deletion == {
        "change": "delete",
        "payer": "user00000000004",
        "deletion": "task00000000004",
    }
    parts = {(row[0], row[1], row[7]) for row in found if row[1] != "gateway.customers.sync"}
    recompute, move = "gateway.entitlements.recompute", "gateway.customers.move_rows"
    assert parts == {
        (record_id(f"{recompute} prod_1"), recompute, '{"cursor":"subscriptions/1"}'),
        (record_id(f"{move} customer0000001"), move, None),
    }
    kept = _read(earlier, "payer_changes", "kind", "payer", "customer", "outcome", "reopened")
    assert kept == {
        ("deleted", "user00000000004", "cus_forget", "", 0),
        ("deleted", "user00000000005", "cus_done", "canceled", 0),
        ("deleted", "user00000000006", "", "none", 0),
        ("deleted", _TEAM, "cus_reopened", "canceled", 1),
        ("promoted", _TEAM, "", "", 0),
    }


def test_the_tasks_come_back(earlier: PocketBaseProcess) -> None:
    """Taken back, the former release finds what is pending, and all deletions."""
    migrate(earlier, "up")
    migrate_before(earlier, _NAME)
    columns = ("kind", "user", "customer", "outcome")
    expected = {task[:4] for task in _TASKS if task[3] != "moved"}
    assert _read(earlier, "customer_tasks", *columns) == expected
    assert _read(earlier, "deferred_work", "kind", "object", "cursor") == set(_PARTS)
    assert _read(earlier, "work", "id") == set()
