"""PocketBase's database file, written without PocketBase's checks."""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any

from gateway.dev.pocketbase import PocketBaseProcess


def insert_rows(part: PocketBaseProcess, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows, which may have different columns, in one transaction."""
    with closing(sqlite3.connect(part.data_dir / "data.db", timeout=10)) as database, database:
        for row in rows:
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            insert = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
            database.execute(insert, list(row.values()))
