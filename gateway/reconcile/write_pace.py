"""Short transactions: deliveries wait for the same single writer of PocketBase."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

T = TypeVar("T")

#: Rows of one transaction, which takes PocketBase 2 to 3 ms.
_ROWS = 12
#: Transactions at once: one is in PocketBase while the next is on its way.
_TRANSACTIONS = 2


class WritePace:
    """Limits how long the transactions of a run can keep a delivery waiting."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(_TRANSACTIONS)

    def take_parts(self, items: Sequence[T]) -> Iterator[Sequence[T]]:
        """Yield the items in parts, each for one transaction."""
        for start in range(0, len(items), _ROWS):
            yield items[start : start + _ROWS]

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until a transaction may be sent."""
        async with self._turns:
            yield
