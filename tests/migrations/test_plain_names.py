"""The migration to plain names of columns, collections and outcomes, on a filled database."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import httpx
import pytest

from gateway.dev.pocketbase import PocketBaseProcess
from gateway.dev.stack import Stack
from tests.database import insert_rows
from tests.migrate import list_collections, migrate, migrate_before, migrate_project

_NAME = "1763856160_plain_names.js"
_HASH = "0123456789abcdef" * 4
_PAYER = "organizations/0123456789abcde"
_USE = f"{'a' * 40}|1763856000"
_CURSOR = {"after": "prod_1", "created": 1_763_856_000, "edge": ["prod_1"]}
_POSITION = {"step": "products", "place": _CURSOR, "since": None}
_VERSION = '[0,1763856000,1763856000,1,"evt_1"]'

#: By the former name of a table: rows of former columns.
_FORMER: dict[str, list[dict[str, str]]] = {
    "products": [{"stripe_id": "prod_1", "stamp": _VERSION}],
    "stripe_objects": [{"stripe_id": "po_1", "stamp": _VERSION, "object": "payout"}],
    "stripe_events": [
        {"stripe_id": f"evt_{outcome}", "outcome": outcome}
        for outcome in ("applied", "superseded", "failed", "foreign", "unmirrored")
    ],
    "gateway_notifications": [
        {"event": "evt_1", "via": "mail", "status": "sent", "settled": "2026-01-02"}
    ],
    "gateway_follow_ups": [
        {"kind": "offer", "subject": "prod_1", "place": "subscriptions/1"},
        {"kind": "owner", "subject": "customer0000001", "place": ""},
    ],
    "gateway_checkout_attempts": [{"buyer": "user00000000001", "number": "7"}],
    "gateway_checkout_keys": [
        {"fingerprint": _HASH},
        {"fingerprint": _PAYER},
        {"fingerprint": "user00000000001"},
        {"fingerprint": _USE},
        {"fingerprint": ""},
    ],
    "gateway_reconciliations": [
        {"started": "2026-01-01", "position": json.dumps(_POSITION)},
        {"started": "2026-01-02", "position": ""},
    ],
}


@pytest.fixture
def earlier(fresh_stack: Callable[..., Stack]) -> PocketBaseProcess:
    """A stopped PocketBase before the migration, with rows."""
    pocketbase = fresh_stack(start=False).pocketbase
    pocketbase.copy_migrated()
    pocketbase.ensure_superuser()
    migrate_before(pocketbase, _NAME)
    for table, rows in _FORMER.items():
        named = ({"id": f"{number:015}", **row} for number, row in enumerate(rows))
        insert_rows(pocketbase, table, named)
    return pocketbase


def _read(pocketbase: PocketBaseProcess, table: str, *columns: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(pocketbase.data_dir / "data.db")) as database:
        query = f"SELECT {','.join(columns)} FROM {table} ORDER BY id"  # noqa: S608
        return database.execute(query).fetchall()


def test_rows_keep_their_values_under_the_new_names(earlier: PocketBaseProcess) -> None:
    """Columns and collections have new names; former outcomes and kinds become the new ones."""
    assert f"Applied {_NAME}" in migrate(earlier, "up")

    assert _read(earlier, "products", "version") == [(_VERSION,)]
    assert _read(earlier, "stripe_objects", "version", "object") == [(_VERSION, "payout")]
    assert _read(earlier, "stripe_events", "stripe_id", "outcome") == [
        ("evt_applied", "applied"),
        ("evt_superseded", "superseded"),
        ("evt_failed", "failed"),
        ("evt_foreign", "connect"),
        ("evt_unmirrored", "ignored"),
    ]
    work = _read(earlier, "gateway_work", "source", "handler", "completed_at")
    assert ("evt_1", "mail", "2026-01-02") in work
    parts = _read(earlier, "gateway_work", "handler", "source", "state")
    assert sorted(row for row in parts if row[0] != "mail") == [
        ("gateway.customers.move_rows", "customer0000001", None),
        ("gateway.entitlements.recompute", "prod_1", '{"cursor":"subscriptions/1"}'),
    ]
    assert _read(earlier, "gateway_pending_checkouts", "buyer", "number") == [
        ("user00000000001", 7)
    ]
    columns = ("request_hash", "trial_payer", "preview_use")
    assert _read(earlier, "gateway_checkout_keys", *columns) == [
        (_HASH, "", ""),
        ("", _PAYER, ""),
        ("", "user00000000001", ""),
        ("", "", _USE),
        ("", "", ""),
    ]
    [position], [empty] = _read(earlier, "gateway_reconciliations", "position")
    kept = {"step": "products", "cursor": _CURSOR, "since": None}
    assert (json.loads(position), empty) == (kept, "")


def test_the_former_names_and_values_come_back(earlier: PocketBaseProcess) -> None:
    """Taken back, every row is as it was."""
    before = {table: _read(earlier, table, "*") for table in _FORMER}
    migrate(earlier, "up")
    migrate_before(earlier, _NAME)
    for table, rows in _FORMER.items():
        columns = sorted({name for row in rows for name in row})
        found = [dict(zip(columns, row, strict=True)) for row in _read(earlier, table, *columns)]
        # Rows that were in the queue meanwhile come back under other ids.
        found.sort(key=lambda row: [str(value) for value in row.values()])
        given = sorted(rows, key=lambda row: [row[name] for name in sorted(row)])
        for row, expected in zip(found, given, strict=True):
            kept = {name: str(value) for name, value in row.items() if name in expected}
            if expected.get("position"):
                kept["position"] = json.loads(kept["position"])
                expected = expected | {"position": json.loads(expected["position"])}
            assert kept == expected
        assert len(before[table]) == len(rows)


_OWN = """
migrate((app) => {
  app.save(new Collection({ name: "quotes", type: "base", fields: [
    { name: "stripe_id", type: "text" }, { name: "stamp", type: "text", hidden: true },
    { name: "stripe_object", type: "json", hidden: true },
  ] }))
  app.save(new Collection({ name: "letters", type: "base", fields: [
    { name: "stamp", type: "text" }, { name: "via", type: "text" },
  ] }))
  app.save(new Collection({ name: "mails", type: "view", listRule: "via = 'mail'",
    viewQuery: "SELECT n.id, n.via, n.claimed FROM gateway_notifications n" }))
  app.save(new Collection({ name: "work", type: "view", listRule: "",
    viewQuery: "SELECT id, kind FROM gateway_follow_ups" }))
}, () => {})
"""


def test_collections_and_views_of_the_project_go_on(earlier: PocketBaseProcess) -> None:
    """A mirror of the project gets `version`, its views read new names, all else stays."""
    migrate_project(earlier, "1763900000_own.js", _OWN)
    earlier.start()
    earlier.wait_healthy()
    found = {each["name"]: each for each in list_collections(earlier)}
    columns = {name: [field["name"] for field in each["fields"]] for name, each in found.items()}
    assert "version" in columns["quotes"]
    assert "stamp" not in columns["quotes"]
    assert columns["letters"] == ["id", "stamp", "via"]
    assert columns["mails"] == ["id", "channel", "locked_at"]
    assert found["mails"]["listRule"] == "channel = 'mail'"
    url = f"{earlier.url}/api/collections"
    answer = httpx.get(f"{url}/mails/records", trust_env=False)
    assert [row["channel"] for row in answer.json()["items"]] == ["mail"]
    answer = httpx.get(f"{url}/work/records", trust_env=False)
    assert [row["kind"] for row in answer.json()["items"]] == ["features", "owner"]


def test_a_taken_name_ends_the_migration(earlier: PocketBaseProcess) -> None:
    """A collection of the project with a new name: PocketBase stops, names it, changes nothing."""
    own = 'new Collection({ name: "gateway_deferred_work", type: "base" })'
    migrate_project(earlier, "1763900000_own.js", f"migrate((app) => app.save({own}), () => {{}})")
    earlier.start()
    assert earlier.wait(20) not in (None, 0)
    assert "gateway_deferred_work" in "\n".join(earlier.read_last_lines())
    assert _read(earlier, "products", "stamp") == [(_VERSION,)]
