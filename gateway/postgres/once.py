"""Effects in PostgreSQL exactly once: the key and the effects are committed together.

Handlers are called at least once with a stable key. `once` makes the second call change nothing.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import AsyncConnection

#: The table of keys, for a team's migrations.
ONCE_TABLE = """\
CREATE TABLE IF NOT EXISTS gateway_once (
    key text PRIMARY KEY,
    done_at timestamptz NOT NULL DEFAULT now()
)"""

#: In characters. An index entry of PostgreSQL has at most 2,704 bytes.
MAX_KEY = 500

# Two concurrent CREATE TABLE IF NOT EXISTS can both create, and one fails.
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('gateway_once'))"
# Waits while another transaction has inserted the same key and not ended.
_INSERT = "INSERT INTO gateway_once (key) VALUES (%s) ON CONFLICT (key) DO NOTHING"
_UNDEFINED_TABLE = "42P01"


class AlreadyDone(Exception):
    """A transaction that did the work of this key is committed."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the work of {key!r} is done already")
        self.key = key


class OnceTableMissing(Exception):
    """The table gateway_once is missing: call create_once_table or migrate ONCE_TABLE."""


async def create_once_table(connection: "AsyncConnection[Any]") -> None:
    """Create the table of keys if it is missing; concurrent calls are safe."""
    async with connection.transaction():
        await connection.execute(_LOCK)
        await connection.execute(ONCE_TABLE)


@asynccontextmanager
async def once(connection: "AsyncConnection[Any]", key: str) -> AsyncIterator[None]:
    """Run the body unless a committed transaction has run it for the same key.

    The key becomes part of the connection's transaction. A concurrent transaction with the same
    key waits until this one ends. If the body raises, its statements and the key are rolled back.
    Outside of a transaction `once` opens and commits one.

    Args:
        connection: an async connection of psycopg.
        key: 1 to 500 characters, such as `context.key` of a handler.

    Raises:
        AlreadyDone: before the body, if the work is done. The transaction remains usable.
        OnceTableMissing: the table of keys does not exist.
        ValueError: the key is empty, too long, or contains a null character.
    """
    _check(key)
    async with connection.transaction():
        if not await _insert(connection, key):
            raise AlreadyDone(key)
        yield


def _check(key: str) -> None:
    if not 0 < len(key) <= MAX_KEY or "\0" in key:
        raise ValueError(f"a key has 1 to {MAX_KEY} characters and no null character: {key[:50]!r}")


async def _insert(connection: "AsyncConnection[Any]", key: str) -> bool:
    """Return whether the key is new."""
    try:
        cursor = await connection.execute(_INSERT, (key,))
    except Exception as error:
        if getattr(error, "sqlstate", None) == _UNDEFINED_TABLE:
            raise OnceTableMissing(str(OnceTableMissing.__doc__)) from error
        raise
    return cursor.rowcount == 1
