"""Transfers of the ledger: balanced, once, never overdrawn, exact under concurrency."""

import asyncio
from contextlib import suppress

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from gateway import AlreadyDone
from ledger.postings import (
    SOLD,
    USED,
    Connection,
    InsufficientCredits,
    customer_account,
    post,
    read_balance,
)
from tests.ledger.balance_sheet import check, read_keys


async def _buy(connection: Connection, user: str, credits: int, key: str) -> None:
    await post(connection, key, "purchase", {customer_account(user): credits, SOLD: -credits})


async def _use(connection: Connection, user: str, credits: int, key: str) -> None:
    await post(connection, key, "usage", {customer_account(user): -credits, USED: credits})


async def test_a_transfer_moves_credits_once(connection: Connection) -> None:
    """The repetition of a key raises AlreadyDone and moves nothing."""
    await _buy(connection, "ann", 100, "1")
    with pytest.raises(AlreadyDone):
        await _buy(connection, "ann", 100, "1")
    await _use(connection, "ann", 30, "2")
    assert await check(connection) == {"user:ann": 70, "sold": -100, "used": 30}


async def test_a_customer_is_never_overdrawn(connection: Connection) -> None:
    """A transfer that takes too much posts nothing, and its key can be posted later."""
    await _buy(connection, "ann", 10, "1")
    with pytest.raises(InsufficientCredits):
        await _use(connection, "ann", 11, "2")
    assert await read_keys(connection) == ["1"]
    await _buy(connection, "ann", 1, "3")
    await _use(connection, "ann", 11, "2")
    assert await read_balance(connection, "ann") == 0


async def test_an_unbalanced_transfer_is_refused(connection: Connection) -> None:
    """PostgreSQL refuses the commit of entries that do not add up to 0."""
    with pytest.raises(psycopg.errors.RaiseException, match="do not add up to 0"):
        await post(connection, "1", "mistake", {"user:ann": 5, "sold": -4})
    assert await check(connection) == {}


async def test_entries_are_append_only(connection: Connection) -> None:
    """A posted transfer is corrected by another, not by a change."""
    await _buy(connection, "ann", 10, "1")
    for change in (b"UPDATE entries SET amount = 1", b"DELETE FROM entries"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            await connection.execute(change)


async def test_concurrent_usage_takes_what_is_there(connection: Connection, database: str) -> None:
    """Of 50 concurrent uses of 10 credits, 20 succeed on a balance of 200."""
    await _buy(connection, "ann", 200, "1")
    async with AsyncConnectionPool(database, min_size=10, max_size=10) as pool:

        async def use(key: str) -> bool:
            with suppress(InsufficientCredits):
                async with pool.connection() as own:
                    await _use(own, "ann", 10, key)
                    return True
            return False

        used = await asyncio.gather(*(use(f"use:{number}") for number in range(50)))
    assert sum(used) == 20
    assert await check(connection) == {"user:ann": 0, "sold": -200, "used": 200}


async def test_transfers_between_customers_do_not_deadlock(
    connection: Connection, database: str
) -> None:
    """Transfers in both directions lock the accounts in the same order."""
    for user in ("ann", "bob"):
        await _buy(connection, user, 1000, user)

    async def give(sender: str, receiver: str) -> None:
        async with await AsyncConnection.connect(database) as own:
            for number in range(40):
                amounts = {customer_account(sender): -1, customer_account(receiver): 1}
                await post(own, f"{sender}:{number}", "gift", amounts)

    await asyncio.gather(give("ann", "bob"), give("bob", "ann"))
    assert await check(connection) == {"user:ann": 1000, "user:bob": 1000, "sold": -2000}
