"""Invariants of any ledger, computed from its tables."""

from ledger.postings import Connection

_SUMS = "SELECT account, sum(amount) FROM entries GROUP BY account"
_STORED = "SELECT name, balance FROM accounts WHERE balance IS NOT NULL"
_KEYS = "SELECT key FROM transfers ORDER BY key"
_UNBALANCED = "SELECT transfer FROM entries GROUP BY transfer HAVING sum(amount) <> 0"


async def check(connection: Connection) -> dict[str, int]:
    """Return the sum of entries per account.

    Raises:
        AssertionError: transfers or all accounts do not add up to 0, or a stored balance is
            negative or differs from its entries.
    """
    sums = {account: int(total) for account, total in await _read(connection, _SUMS)}
    assert await _read(connection, _UNBALANCED) == []
    assert sum(sums.values()) == 0
    for account, balance in await _read(connection, _STORED):
        assert balance == sums.get(account, 0) >= 0, account
    return sums


async def read_keys(connection: Connection) -> list[str]:
    """Return the keys of all transfers, in order."""
    return [key for (key,) in await _read(connection, _KEYS)]


async def _read(connection: Connection, query: str) -> list[tuple[str, int]]:
    return await (await connection.execute(query.encode())).fetchall()
