"""Limits the number and total size of request bodies in memory, from first byte to response.

Anyone can send a body, and only a complete one has a signature that can be checked. At the limit,
bodies that are still arriving are dropped, the oldest first, so that slow senders don't block
others.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from gateway.errors import Overloaded

#: Bytes of all bodies together; a parsed event takes several times as much.
MAX_TOTAL_BYTES = 32_000_000


class Admission:
    """Admits requests up to a number and a total size; refuses instead of queueing."""

    def __init__(self, max_requests: int, max_bytes: int = MAX_TOTAL_BYTES) -> None:
        self._free_requests = max_requests
        self._free_bytes = max_bytes
        #: Requests with bodies that are still arriving, the oldest first.
        self._arriving: dict[Admitted, None] = {}

    @classmethod
    def of(cls, max_requests: int, max_body_bytes: int) -> Self:
        """Return an admission in which at least two of the largest bodies fit at once."""
        return cls(max_requests, max(MAX_TOTAL_BYTES, 2 * max_body_bytes))

    @contextmanager
    def admit(self) -> Iterator["Admitted"]:
        """Admit one request while the block runs.

        Raises:
            Overloaded: too many requests or, raised in `Admitted.add`, too many bytes.
        """
        if self._free_requests < 1:
            self._drop_oldest()
        self._free_requests -= 1
        admitted = Admitted(self)
        self._arriving[admitted] = None
        try:
            yield admitted
        finally:
            self.release(admitted)

    def take(self, size: int) -> None:
        """Count more bytes; drop arriving bodies if needed.

        Raises:
            Overloaded: the limit is reached, and no arriving body is left to drop.
        """
        while size > self._free_bytes:
            self._drop_oldest()
        self._free_bytes -= size

    def keep(self, admitted: "Admitted") -> None:
        """Protect a request from being dropped."""
        self._arriving.pop(admitted, None)

    def release(self, admitted: "Admitted") -> None:
        """Release a request's count and bytes, once."""
        if not admitted.is_released:
            admitted.is_released = True
            self.keep(admitted)
            self._free_requests += 1
            self._free_bytes += len(admitted.body)
            # Frees the memory at once, although the sender may take a while to notice.
            admitted.body = b""

    def _drop_oldest(self) -> None:
        oldest = next(iter(self._arriving), None)
        if oldest is None:
            raise Overloaded
        self.release(oldest)


class Admitted:
    """An admitted request, with the part of its body that has arrived."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.body: bytes | bytearray = b""
        self.is_released = False

    def add(self, chunk: bytes) -> None:
        """Append bytes to the body.

        Raises:
            Overloaded: the limit is reached, or the request was dropped for another.
        """
        if self.is_released:
            raise Overloaded
        self._admission.take(len(chunk))
        if self.is_released:  # Dropped for its own bytes, as the oldest.
            self._admission.take(-len(chunk))
            raise Overloaded
        if not self.body:
            self.body = chunk
        elif isinstance(self.body, bytearray):
            self.body += chunk
        else:  # Copied once, not with each chunk.
            self.body = bytearray(self.body) + chunk

    def keep(self) -> bytes:
        """Return the complete body; from now on the request is not dropped."""
        self._admission.keep(self)
        self.body = bytes(self.body)
        return self.body
