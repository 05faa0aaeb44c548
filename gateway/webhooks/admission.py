"""Bounds what deliveries hold in memory, from their first byte until they are answered."""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.errors import Overloaded

#: Bytes of all bodies together; parsed, an event takes several times as much.
_BYTES = 32_000_000


class Admission:
    """Lets deliveries in while there is room; nobody waits at the door."""

    def __init__(self, deliveries: int, room: int = _BYTES) -> None:
        self._deliveries = deliveries
        self._room = room

    @contextmanager
    def admit(self) -> Iterator["Admitted"]:
        """Hold a place for one delivery.

        Raises:
            Overloaded: all places are taken; here, or when the body grows out of the room.
        """
        if self._deliveries < 1:
            raise Overloaded
        self._deliveries -= 1
        admitted = Admitted(self)
        try:
            yield admitted
        finally:
            self._deliveries += 1
            self._room += admitted.size

    def take(self, size: int) -> None:
        """Use up room.

        Raises:
            Overloaded: there is not enough.
        """
        if size > self._room:
            raise Overloaded
        self._room -= size


class Admitted:
    """A delivery's place, and how much room its body takes."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.size = 0

    def grow(self, size: int) -> None:
        """Take room for some more bytes.

        Raises:
            Overloaded: there is not enough.
        """
        self._admission.take(size)
        self.size += size
