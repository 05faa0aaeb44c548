"""Per-object locks, so that conflict resolutions in one process don't undo each other."""

import asyncio
from weakref import WeakValueDictionary


class ObjectLocks:
    """One lock per Stripe object; between processes, the guard of the commit decides."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, stripe_id: str) -> asyncio.Lock:
        """Return the lock of an object."""
        return self._locks.setdefault(stripe_id, asyncio.Lock())
