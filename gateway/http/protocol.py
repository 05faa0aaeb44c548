"""Uvicorn's HTTP protocol with limits on size and time of a request's head, which it lacks."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Bytes of a request that are not its body: the head, and the framing of chunks.
_MAX_FRAMING_BYTES = 65_536


class BoundedHttpProtocol(HttpToolsProtocol):
    """Closes connections with a head that is too large, or a request that arrives too slowly."""

    #: Maximum time from the first byte of a request to its last.
    arrival_seconds = 30.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._framing = 0
        self._is_arriving = True
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline of the first request."""
        super().connection_made(transport)
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadline."""
        self._cancel_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse bytes, and count those that are not part of a body."""
        self._framing += len(data)
        super().data_received(data)
        if self._framing > _MAX_FRAMING_BYTES:
            self.transport.close()
        elif self._is_arriving and not self._deadline:
            self._start_deadline()

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._is_arriving = True
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        """Exclude a part of the body, which the app limits."""
        self._framing -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        self._is_arriving = False
        self._framing = 0
        self._cancel_deadline()
        super().on_message_complete()

    def _start_deadline(self) -> None:
        self._deadline = self.loop.call_later(self.arrival_seconds, self.transport.close)

    def _cancel_deadline(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None
