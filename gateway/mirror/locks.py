"""Turns at objects that the clock can't decide: two who decide at once undo each other's work."""

import asyncio
from weakref import WeakValueDictionary


class ObjectLocks:
    """One decision an object at a time in this process; between processes, the guards decide."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, stripe_id: str) -> asyncio.Lock:
        """Return what to hold while deciding on an object's state."""
        return self._locks.setdefault(stripe_id, asyncio.Lock())
