"""Short transactions: deliveries wait for the same single writer of PocketBase."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

T = TypeVar("T")

#: Rows and events of one transaction, as many as PocketBase writes in about 2 ms. New rows take
#: longer than events, most of which change a row that exists.
ROWS = 8
EVENTS = 12
#: Transactions at once: one is in PocketBase while the next is on its way.
_TRANSACTIONS = 2


def take_parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the items in parts, each for one transaction of `ROWS` or `EVENTS`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


class WritePace:
    """Limits how long the transactions of a run can keep a delivery waiting."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(_TRANSACTIONS)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until a transaction may be sent."""
        async with self._turns:
            yield
