"""Limits the memory of request bodies, from their first byte until the answer.

Anyone can send a body, and a signature can be checked only on a complete one. At the limit, bodies
that are still arriving are dropped, the oldest first: normal senders send at once, and slow senders
must not block others.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.errors import Overloaded

#: Bytes of all bodies together; parsed, an event takes several times as much.
BODIES_BYTES = 32_000_000


class Admission:
    """Admits deliveries up to a number and a total size; refuses instead of queueing."""

    def __init__(self, deliveries: int, room: int = BODIES_BYTES) -> None:
        self._deliveries = deliveries
        self._room = room
        #: Deliveries whose bodies are still arriving, the oldest first.
        self._arriving: dict[Admitted, None] = {}

    @contextmanager
    def admit(self) -> Iterator["Admitted"]:
        """Admit one delivery for as long as the context lasts.

        Raises:
            Overloaded: too many deliveries, or, raised in `Admitted.add`, too many bytes.
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
        """Count more bytes; drop arriving deliveries if needed.

        Raises:
            Overloaded: the limit is reached and no delivery can be dropped.
        """
        while size > self._room:
            self._dismiss_oldest()
        self._room -= size

    def keep(self, admitted: "Admitted") -> None:
        """Protect a delivery from being dropped."""
        self._arriving.pop(admitted, None)

    def release(self, admitted: "Admitted") -> None:
        """Release a delivery's place and bytes, once."""
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
    """An admitted delivery, with the part of its body that has arrived."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.body: bytes | bytearray = b""
        self.has_left = False

    def add(self, chunk: bytes) -> None:
        """Append bytes to the body.

        Raises:
            Overloaded: the limit is reached, or the delivery was dropped for another.
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
        """Return the complete body; the delivery is not dropped from now on."""
        self._admission.keep(self)
        self.body = bytes(self.body)
        return self.body
