"""Transfers between accounts: each is posted once, and its entries add up to 0."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from psycopg import AsyncConnection
from psycopg.errors import CheckViolation

from gateway import create_once_table, once

Connection = AsyncConnection[Any]

#: Accounts of the shop: credits that were sold, credits that were used.
SOLD = "sold"
USED = "used"

_OPEN = "INSERT INTO accounts VALUES (%s, %s) ON CONFLICT (name) DO NOTHING"
# The order of names prevents deadlocks between transfers of the same accounts.
_MOVE = """
    UPDATE accounts SET balance = balance + %(amount)s
    WHERE name = %(account)s AND balance IS NOT NULL
"""
_TRANSFER = "INSERT INTO transfers (key, reason) VALUES (%s, %s) RETURNING id"
_ENTRY = "INSERT INTO entries VALUES (%s, %s, %s)"


class InsufficientCredits(Exception):
    """The customer has fewer credits than the transfer takes."""


def customer_account(user: str) -> str:
    """Return the account of a PocketBase user."""
    return f"user:{user}"


async def create_tables(connection: Connection) -> None:
    """Create what is missing; processes that start at once wait for each other."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('ledger'))")
        await create_once_table(connection)
        found = await connection.execute("SELECT to_regclass('entries') IS NULL")
        if await found.fetchone() == (True,):
            await connection.execute(files("ledger").joinpath("schema.sql").read_bytes())


async def post(connection: Connection, key: str, reason: str, amounts: Mapping[str, int]) -> None:
    """Post a transfer, as part of the connection's transaction.

    Args:
        key: identifies the transfer, such as ``purchase:evt_…``.
        amounts: credits by account; negative ones are taken. They add up to 0.

    Raises:
        AlreadyDone: a transfer with this key is posted.
        InsufficientCredits: a customer's balance would be negative; nothing is posted.
    """
    try:
        async with once(connection, f"ledger:{key}"):
            await _insert(connection, key, reason, sorted(amounts.items()))
    except CheckViolation as error:
        if error.diag.constraint_name != "accounts_balance_check":
            raise
        raise InsufficientCredits from error


async def _insert(
    connection: Connection, key: str, reason: str, amounts: list[tuple[str, int]]
) -> None:
    for account, amount in amounts:
        await connection.execute(_OPEN, (account, None if account in (SOLD, USED) else 0))
        await connection.execute(_MOVE, {"account": account, "amount": amount})
    cursor = await connection.execute(_TRANSFER, (key, reason))
    row = await cursor.fetchone()
    assert row
    for account, amount in amounts:
        await connection.execute(_ENTRY, (row[0], account, amount))


async def read_balance(connection: Connection, user: str) -> int:
    """Return the credits of a user, 0 for one without an account."""
    cursor = await connection.execute(
        "SELECT balance FROM accounts WHERE name = %s", (customer_account(user),)
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def read_amounts(connection: Connection, key: str) -> dict[str, int]:
    """Return the entries of a transfer by account, nothing if it is not posted."""
    cursor = await connection.execute(
        "SELECT account, amount FROM entries JOIN transfers ON transfers.id = transfer"
        " WHERE key = %s",
        (key,),
    )
    return dict(await cursor.fetchall())
