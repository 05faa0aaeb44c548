"""The outbox of former releases becomes the queue: nothing is lost, and nothing sent twice."""

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

_NAME = "1763856201_notifications_to_work.js"
_HANDLER = "shop.events.thank"
_CREATED = "2026-11-27 09:00:00.000Z"
_STATUSES = ("waiting", "sending", "failed", "sent", "skipped")


def _outbox() -> list[dict[str, Any]]:
    """A mail and a call of each status."""
    return [
        {
            "id": record_id(f"evt_{status}|{channel}"),
            "event": f"evt_{status}",
            "kind": "receipt" if channel == "mail" else "invoice.paid",
            "channel": channel,
            "status": status,
            "reason": "550" if status == "failed" else "",
            "attempts": 3,
            "collection": "invoices",
            "record": "invoice00000001",
            "customer": "customer0000001",
            "created": _CREATED,
            "due": "2026-11-27 10:00:00.000Z",
            "expires": "2026-11-29 09:00:00.000Z",
            "locked_at": "2026-11-27 09:30:00.000Z",
            "completed_at": "" if status in ("waiting", "sending") else "2026-11-27 09:31:00.000Z",
        }
        for status in _STATUSES
        for channel in ("mail", _HANDLER)
    ]


@pytest.fixture
def earlier(fresh_stack: Callable[..., Stack]) -> PocketBaseProcess:
    """A stopped PocketBase before the migration, with an outbox."""
    pocketbase = fresh_stack(start=False).pocketbase
    pocketbase.copy_migrated()
    pocketbase.ensure_superuser()
    migrate_before(pocketbase, _NAME)
    insert_rows(pocketbase, "gateway_notifications", _outbox())
    return pocketbase


def _read(pocketbase: PocketBaseProcess, table: str) -> dict[str, dict[str, Any]]:
    with closing(sqlite3.connect(pocketbase.data_dir / "data.db")) as database:
        database.row_factory = sqlite3.Row
        rows = database.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()  # noqa: S608
        return {row["id"]: dict(row) for row in rows}


def test_each_entry_becomes_an_item(earlier: PocketBaseProcess) -> None:
    """With its id; what may have been sent is parked; calls have all their tries and no end."""
    migrate(earlier, "up")
    rows = _read(earlier, "gateway_work")
    expected = {
        "waiting": "waiting",
        "sending": "parked",
        "failed": "parked",
        "sent": "done",
        "skipped": "cancelled",
    }
    assert len(rows) == len(_outbox())
    for entry in _outbox():
        row = rows[entry["id"]]
        is_mail = entry["channel"] == "mail"
        assert (row["source"], row["handler"]) == (entry["event"], entry["channel"])
        assert row["status"] == expected[entry["status"]]
        assert (row["tries"], row["at_most_once"]) == ((0, 1) if is_mail else (20, 0))
        assert row["expires"] == (entry["expires"] if is_mail else "")
        payload = json.loads(row["payload"])
        assert payload["record"] == "invoice00000001"
        assert payload["kind"] == ("receipt" if is_mail else "")
    [parked] = [row for row in rows.values() if row["source"] == "evt_failed"][:1]
    assert parked["error"] == "550"
    uncertain = [row["error"] for row in rows.values() if row["source"] == "evt_sending"]
    assert all("may have been done" in error for error in uncertain)
    assert len({row["seq"] for row in rows.values()}) == len(rows)


def test_the_outbox_comes_back(earlier: PocketBaseProcess) -> None:
    """Taken back, the former release finds every entry with its status."""
    migrate(earlier, "up")
    migrate_before(earlier, _NAME)
    rows = _read(earlier, "gateway_notifications")
    columns = ("event", "channel", "status", "collection", "record", "customer", "created", "due")
    for entry in _outbox():
        kept = {name: rows[entry["id"]][name] for name in columns}
        assert kept == {name: entry[name] for name in columns}
