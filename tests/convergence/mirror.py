"""PocketBase's database file: its rows, and users without the cost of hashing."""

import json
import sqlite3
from pathlib import Path
from secrets import token_hex
from typing import Any

from tests.convergence.expected_entitlements import ExpectedEntitlements
from tests.deadline import wait_until

Json = dict[str, Any]
_AT_ONCE = 500


class Mirror:
    """Reads and prepares one running PocketBase."""

    def __init__(self, data_dir: Path) -> None:
        self._file = data_dir / "data.db"
        # Tests use it from their own thread and from the loop's, never at the same time.
        self._connection = sqlite3.connect(
            self._file, timeout=10, isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def read(self, collection: str, stripe_ids: list[str]) -> dict[str, Json]:
        """Return the rows of these objects by Stripe id."""
        found: dict[str, Json] = {}
        for start in range(0, len(stripe_ids), _AT_ONCE):
            some = stripe_ids[start : start + _AT_ONCE]
            marks = ",".join("?" * len(some))
            query = f"SELECT * FROM {collection} WHERE stripe_id IN ({marks})"  # noqa: S608
            for row in self._connection.execute(query, some):
                found[row["stripe_id"]] = dict(row)
        return found

    def wait_followed_up(self) -> None:
        """Wait until what is too long for a webhook's transaction is done (in a large database).

        Raises:
            AssertionError: it takes longer than a minute.
        """
        count = (
            "SELECT count(*) FROM gateway_work WHERE status IN ('waiting','running')"
            " AND handler IN ('gateway.entitlements.recompute','gateway.customers.move_rows')"
        )
        wait_until(lambda: self._connection.execute(count).fetchone()[0] == 0, within=60)

    def count_unresolved(self) -> int:
        """Return the number of stored events whose row waits for a read from Stripe."""
        query = "SELECT count(*) FROM stripe_events WHERE outcome = 'unresolved'"
        return int(self._connection.execute(query).fetchone()[0])

    def find(self, collection: str, column: str, value: str) -> list[Json]:
        """Return the rows that have a value in a column."""
        query = f"SELECT * FROM {collection} WHERE {column} = ?"  # noqa: S608
        return [dict(row) for row in self._connection.execute(query, [value])]

    def entitle(self, column: str, payer: str) -> dict[str, Json]:
        """Return what the rows say that a user or organization may use, by feature."""
        return ExpectedEntitlements(self._connection, column, payer).rows()

    def add_organization(self) -> str:
        """Add an organization with an owner; return the id.

        Without members, a gateway would end its purchases at Stripe after some seconds.
        """
        organization, owner = token_hex(8)[:15], token_hex(8)[:15]
        query = "INSERT INTO organizations (id, name) VALUES (?, 'Acme')"
        self._connection.execute(query, [organization])
        query = "INSERT INTO memberships (organization, user, role) VALUES (?, ?, 'owner')"
        self._connection.execute(query, [organization, owner])
        return organization

    def add_user(self, email: str, *, verified: bool) -> str:
        """Add a user who can't log in; returns the id."""
        user = token_hex(8)[:15]
        values = (user, email, verified, token_hex(25), "none")
        self._connection.execute(
            "INSERT INTO users (id, email, verified, tokenKey, password) VALUES (?, ?, ?, ?, ?)",
            values,
        )
        return user


def differences(expected: Json, row: Json | None) -> Json:
    """Return the columns that differ: what they should be, and what they are."""
    if row is None:
        return {"row": (expected, None)}
    found = {name: _decode(row[name], value) for name, value in expected.items()}
    return {
        name: (value, found[name])
        for name, value in expected.items()
        if _as_script(value) != _as_script(found[name])
    }


def _as_script(value: Any) -> Any:
    """A value as PocketBase's hooks hold it: whole numbers beyond 2**53 are rounded there."""
    if isinstance(value, dict):
        return {key: _as_script(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_script(item) for item in value]
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if is_whole and abs(value) > 2**53 else value


def _decode(stored: Any, like: Any) -> Any:
    """A stored column in the form of an expected value."""
    if isinstance(like, bool):
        return bool(stored)
    if like is None or isinstance(like, dict | list):
        return None if stored is None else json.loads(stored)
    return stored
