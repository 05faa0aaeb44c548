"""`once`: effects in PostgreSQL at most once per key, over committed transactions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from gateway import AlreadyDone, create_once_table, once
from gateway.postgres.once import OnceTableMissing
from tests.deadline import eventually

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


@pytest_asyncio.fixture
async def connection(database: str) -> AsyncIterator[AsyncConnection[Any]]:
    """A connection to a database with the table of keys and a table of effects."""
    async with await AsyncConnection.connect(database, autocommit=True) as opened:
        await create_once_table(opened)
        await opened.execute("CREATE TABLE effects (name text)")
        yield opened


async def _apply(connection: AsyncConnection[Any], key: str, name: str = "effect") -> bool:
    """Insert an effect once; return whether the body ran."""
    with suppress(AlreadyDone):
        async with connection.transaction(), once(connection, key):
            await connection.execute("INSERT INTO effects VALUES (%s)", (name,))
            return True
    return False


async def _effects(connection: AsyncConnection[Any]) -> list[str]:
    cursor = await connection.execute("SELECT name FROM effects ORDER BY name")
    return [name for (name,) in await cursor.fetchall()]


async def test_runs_the_body_once_per_key(connection: AsyncConnection[Any]) -> None:
    """The second call with a key raises AlreadyDone before the body; other keys run."""
    assert await _apply(connection, "a")
    assert not await _apply(connection, "a")
    assert await _apply(connection, "b")
    assert await _effects(connection) == ["effect", "effect"]


async def test_a_rolled_back_body_runs_again(connection: AsyncConnection[Any]) -> None:
    """A body that raises leaves neither effects nor key."""
    with suppress(psycopg.errors.DivisionByZero):
        async with connection.transaction(), once(connection, "a"):
            await connection.execute("INSERT INTO effects VALUES ('lost')")
            await connection.execute("SELECT 1 / 0")
    assert await _apply(connection, "a")
    assert await _effects(connection) == ["effect"]


async def test_a_caught_failure_leaves_no_key(connection: AsyncConnection[Any]) -> None:
    """A failed body is undone also if the transaction goes on and commits."""
    async with connection.transaction():
        with suppress(psycopg.errors.DivisionByZero):
            async with once(connection, "a"):
                await connection.execute("INSERT INTO effects VALUES ('lost')")
                await connection.execute("SELECT 1 / 0")
        await connection.execute("INSERT INTO effects VALUES ('kept')")
    assert await _effects(connection) == ["kept"]
    assert await _apply(connection, "a")


async def test_the_transaction_continues_after_a_repeated_key(
    connection: AsyncConnection[Any],
) -> None:
    """A batch can skip the keys that are done and commit the others."""
    await _apply(connection, "b", "b")
    async with connection.transaction():
        for key in ("a", "b", "b", "c"):
            with suppress(AlreadyDone):
                async with once(connection, key):
                    await connection.execute("INSERT INTO effects VALUES (%s)", (key,))
    assert await _effects(connection) == ["a", "b", "c"]


@pytest.mark.parametrize("autocommit", [True, False])
async def test_commits_by_itself_without_a_transaction(
    connection: AsyncConnection[Any], database: str, autocommit: bool
) -> None:
    """Outside of a transaction `once` is one."""
    async with await AsyncConnection.connect(database, autocommit=autocommit) as own:
        async with once(own, "a"):
            await own.execute("INSERT INTO effects VALUES ('own')")
        assert await _effects(connection) == ["own"]
        with pytest.raises(AlreadyDone, match="'a' is done already"):
            await once(own, "a").__aenter__()


async def test_rolls_back_with_the_transaction_around_it(connection: AsyncConnection[Any]) -> None:
    """A key is not done before the outer transaction commits."""
    async with connection.transaction(force_rollback=True), once(connection, "a"):
        await connection.execute("INSERT INTO effects VALUES ('lost')")
    assert await _apply(connection, "a")


@pytest.mark.parametrize("commits", [True, False])
async def test_concurrent_callers_wait(
    connection: AsyncConnection[Any], database: str, commits: bool
) -> None:
    """The second waits; it skips if the first commits, and runs if the first rolls back."""
    async with await AsyncConnection.connect(database, autocommit=True) as other:
        with suppress(psycopg.Rollback):
            async with connection.transaction():
                async with once(connection, "a"):
                    await connection.execute("INSERT INTO effects VALUES ('first')")
                second = asyncio.create_task(_apply(other, "a", "second"))
                await eventually(lambda: _is_waiting(connection))
                assert not second.done()
                if not commits:
                    raise psycopg.Rollback
        assert await second is not commits
    assert await _effects(connection) == (["first"] if commits else ["second"])


async def _is_waiting(connection: AsyncConnection[Any]) -> bool:
    row = await (await connection.execute(_WAITING)).fetchone()
    return row == (1,)


async def test_many_callers_of_one_key(connection: AsyncConnection[Any], database: str) -> None:
    """Of 40 callers on 20 connections, exactly one runs the body."""
    async with AsyncConnectionPool(database, min_size=20, max_size=20) as pool:

        async def call() -> bool:
            async with pool.connection() as own:
                return await _apply(own, "a")

        assert sum(await asyncio.gather(*(call() for _ in range(40)))) == 1
    assert await _effects(connection) == ["effect"]


async def test_a_snapshot_that_is_too_old_fails(
    connection: AsyncConnection[Any], database: str
) -> None:
    """At REPEATABLE READ a key committed after the snapshot is an error, never a second run."""
    async with await AsyncConnection.connect(database, autocommit=True) as other:
        await other.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
        await other.set_autocommit(False)
        await other.execute("SELECT 1")
        await _apply(connection, "a")
        with pytest.raises(psycopg.errors.SerializationFailure):
            await _apply(other, "a", "second")
    assert await _effects(connection) == ["effect"]


@pytest.mark.parametrize("key", ["", "k" * 501, "a\0b"])
async def test_refuses_keys_that_it_cannot_store(
    connection: AsyncConnection[Any], key: str
) -> None:
    """A key is 1 to 500 characters of text that PostgreSQL stores."""
    with pytest.raises(ValueError, match="1 to 500 characters"):
        await _apply(connection, key)


async def test_takes_the_longest_key(connection: AsyncConnection[Any]) -> None:
    """500 characters of four bytes fit into the index."""
    assert await _apply(connection, "𝄞" * 500)
    assert not await _apply(connection, "𝄞" * 500)


async def test_names_the_missing_table(database: str) -> None:
    """Without its table `once` names the function that creates it."""
    async with await AsyncConnection.connect(database) as connection:
        with pytest.raises(OnceTableMissing, match="create_once_table"):
            await _apply(connection, "a")


async def test_creates_its_table_concurrently(database: str) -> None:
    """Processes that start at once may all create the table."""
    async with AsyncConnectionPool(database, min_size=8, max_size=8) as pool:

        async def create() -> None:
            async with pool.connection() as connection:
                await create_once_table(connection)

        await asyncio.gather(*(create() for _ in range(8)))
