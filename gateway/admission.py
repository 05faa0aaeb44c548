"""Bounds what the bodies of requests hold in memory, from their first byte until the answer.

Anybody may send a body, and a signature can be checked on a whole one only. When there is no room,
bodies that are still arriving give way, the oldest first: an honest sender sends at once, and a
slow one keeps nobody out.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.errors import Overloaded

#: Bytes of all bodies together; parsed, an event takes several times as much.
BODIES_BYTES = 32_000_000


class Admission:
    """Lets deliveries in while there is room; nobody waits at the door."""

    def __init__(self, deliveries: int, room: int = BODIES_BYTES) -> None:
        self._deliveries = deliveries
        self._room = room
        #: Those whose bodies are still arriving, the first come first.
        self._arriving: dict[Admitted, None] = {}

    @contextmanager
    def admit(self) -> Iterator["Admitted"]:
        """Hold a place for one delivery.

        Raises:
            Overloaded: all places are taken; here, or when the body grows out of the room.
        """
        if self._deliveries < 1:
            self._dismiss_oldest()
        self._deliveries -= 1
        admitted = Admitted(self)
        self._arriving[admitted] = None
        try:
            yield admitted
        finally:
            self.release(admitted)

    def take(self, size: int) -> None:
        """Use up room.

        Raises:
            Overloaded: there is not enough.
        """
        while size > self._room:
            self._dismiss_oldest()
        self._room -= size

    def keep(self, admitted: "Admitted") -> None:
        """A delivery gives way to nobody any more."""
        self._arriving.pop(admitted, None)

    def release(self, admitted: "Admitted") -> None:
        """Give back what a delivery holds, once."""
        if not admitted.has_left:
            admitted.has_left = True
            self.keep(admitted)
            self._deliveries += 1
            self._room += len(admitted.body)
            # Its sender may take a while to notice.
            admitted.body = b""

    def _dismiss_oldest(self) -> None:
        oldest = next(iter(self._arriving), None)
        if oldest is None:
            raise Overloaded
        self.release(oldest)


class Admitted:
    """A delivery's place, and its body as far as that has arrived."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.body: bytes | bytearray = b""
        self.has_left = False

    def add(self, chunk: bytes) -> None:
        """Take room for some more bytes.

        Raises:
            Overloaded: there is not enough, or the delivery has given way to another.
        """
        if self.has_left:
            raise Overloaded
        self._admission.take(len(chunk))
        if self.has_left:  # For its own bytes: it was the oldest.
            self._admission.take(-len(chunk))
            raise Overloaded
        if not self.body:
            self.body = chunk
        elif isinstance(self.body, bytearray):
            self.body += chunk
        else:  # Copied once, and not with each chunk.
            self.body = bytearray(self.body) + chunk

    def keep(self) -> bytes:
        """Give way to nobody any more; return the body, which is whole."""
        self._admission.keep(self)
        self.body = bytes(self.body)
        return self.body
