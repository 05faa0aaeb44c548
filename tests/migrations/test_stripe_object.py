"""The migration that adds `stripe_object`, on a database that has rows and events."""

import json
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.dev.pocketbase import PocketBaseProcess
from gateway.dev.stack import Stack
from tests.migrate import migrate, migrate_before

Json = dict[str, Any]
_NAME = "1763856110_stripe_objects.js"


@pytest.fixture
def earlier(fresh_stack: Callable[..., Stack]) -> PocketBaseProcess:
    """A stopped PocketBase before the migration."""
    pocketbase = fresh_stack(start=False).pocketbase
    pocketbase.copy_migrated()
    pocketbase.ensure_superuser()
    migrate_before(pocketbase, _NAME)
    return pocketbase


def _insert(database: sqlite3.Connection, table: str, stripe_id: str, **values: str) -> None:
    row = {"id": f"{abs(hash(stripe_id)):015}"[:15], "stripe_id": stripe_id, **values}
    names, marks = ",".join(row), ",".join("?" * len(row))
    database.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))  # noqa: S608


def _add(data_dir: Path, table: str, objects: Iterable[Json], *, payload: bool = True) -> None:
    """Add the rows of objects, and the events that they show."""
    with closing(sqlite3.connect(data_dir / "data.db")) as database, database:
        for item in objects:
            event = f"evt_{item['id']}"
            stored = json.dumps({"id": event, "data": {"object": item}}) if payload else ""
            _insert(database, "stripe_events", event, payload=stored)
            _insert(database, table, item["id"], stamp=json.dumps([0, 1, 1, 1, event]))


def _read(data_dir: Path, table: str) -> dict[str, Any]:
    with closing(sqlite3.connect(data_dir / "data.db")) as database:
        rows = database.execute(f"SELECT stripe_id, stripe_object FROM {table}").fetchall()  # noqa: S608
    return {stripe_id: found and json.loads(found) for stripe_id, found in rows}


def test_rows_get_the_object_of_the_event_that_they_show(earlier: PocketBaseProcess) -> None:
    """Without secrets; what was pruned, or has a secret elsewhere, is left to reconciliation."""
    plain = {"id": "sub_1", "object": "subscription", "items": {"data": [{"n": 1.50}]}}
    _add(earlier.data_dir, "subscriptions", [plain])
    _add(earlier.data_dir, "subscriptions", [plain | {"id": "sub_pruned"}], payload=False)
    intent = {"id": "pi_1", "object": "payment_intent", "client_secret": "pi_1_secret_x"}
    nested = {"id": "pi_2", "object": "payment_intent", "next_action": {"url": "?a=pi_2_secret_x"}}
    _add(earlier.data_dir, "payments", [intent, nested])

    assert f"Applied {_NAME}" in migrate(earlier, "up")

    assert _read(earlier.data_dir, "subscriptions") == {"sub_1": plain, "sub_pruned": None}
    assert _read(earlier.data_dir, "payments") == {
        "pi_1": intent | {"client_secret": None},
        "pi_2": None,
    }
