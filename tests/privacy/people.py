"""A person of the tests, and a search through PocketBase's files."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from gateway.dev.stack import Stack
from tests.frontend import User


@dataclass
class Buyer:
    """A user who has bought."""

    user: User
    name: str
    phone: str
    customers: list[str] = field(default_factory=list)
    note: str = ""
    lead: str = ""
    item: str = ""

    @property
    def values(self) -> tuple[str, ...]:
        """Texts that must occur nowhere after the deletion."""
        return self.user.email, self.name, self.phone


def find_everywhere(stack: Stack, values: tuple[str, ...]) -> list[str]:
    """Return `database.table.column` of every stored text with one of the values, in any case."""
    folder = stack.pocketbase.data_dir
    return [
        found
        for name in ("data.db", "auxiliary.db")
        for found in _search(folder / name, [value.lower() for value in values])
    ]


def _search(path: Path, values: list[str]) -> list[str]:
    found = []
    with closing(sqlite3.connect(path, timeout=30)) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for _, column, *_ in database.execute(f"PRAGMA table_info(`{table}`)").fetchall():
                text = f"lower(CAST(`{column}` AS TEXT))"
                where = " OR ".join(f"instr({text}, ?)" for _ in values)
                sql = f"SELECT count(*) FROM `{table}` WHERE {where}"  # noqa: S608
                if database.execute(sql, values).fetchone()[0]:
                    found.append(f"{path.name}.{table}.{column}")
    return found


def find_in_files(stack: Stack, values: tuple[str, ...]) -> list[str]:
    """Return the names of databases and write-ahead logs with the bytes of one of the values."""
    paths = stack.pocketbase.data_dir.glob("*.db*")
    return [path.name for path in paths if _contains(path, values)]


def _contains(path: Path, values: tuple[str, ...]) -> bool:
    content = path.read_bytes().lower()
    return any(value.lower().encode() in content for value in values)
