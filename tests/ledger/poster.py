"""A process that posts transfers until all of them are posted: ``python poster.py URL SEED``."""

import asyncio
import sys
from random import Random

import psycopg
from psycopg import AsyncConnection

from gateway import AlreadyDone
from ledger.postings import (
    SOLD,
    USED,
    Connection,
    InsufficientCredits,
    customer_account,
    post,
)

USERS = 4
PURCHASES = 60
USES = 240
CREDITS = 10


#: Key and amounts.
Transfer = tuple[str, dict[str, int]]


def list_transfers() -> list[Transfer]:
    """Return every transfer: what is bought covers what is used."""
    pack = 4 * CREDITS
    bought = [(f"buy:{n}", {_account(n): pack, SOLD: -pack}) for n in range(PURCHASES)]
    used = [(f"use:{n}", {_account(n): -CREDITS, USED: CREDITS}) for n in range(USES)]
    return bought + used


def _account(number: int) -> str:
    return customer_account(f"user{number % USERS}")


async def main(url: str, seed: int) -> None:
    """Post every transfer, in an order of this process's own."""
    open_transfers = list_transfers()
    Random(seed).shuffle(open_transfers)
    while open_transfers:
        try:
            async with await AsyncConnection.connect(url, connect_timeout=5) as connection:
                await _post_next(connection, open_transfers)
        except psycopg.OperationalError:
            await asyncio.sleep(0.02)


async def _post_next(connection: Connection, open_transfers: list[Transfer]) -> None:
    """Post from the end of the list; one that can't be posted yet goes to its start."""
    while open_transfers:
        key, amounts = open_transfers[-1]
        try:
            await post(connection, key, "test", amounts)
        except InsufficientCredits:
            open_transfers.insert(0, open_transfers.pop())
            continue
        except AlreadyDone:
            pass
        open_transfers.pop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
