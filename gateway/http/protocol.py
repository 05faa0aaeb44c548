"""HTTP as uvicorn speaks it, with bounds: its parser takes a head of any length, at any pace."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Bytes of a request that are not its body: the head, and what parts the chunks.
_MOST_FRAMING = 65_536


class BoundedHttpProtocol(HttpToolsProtocol):
    """Closes a connection whose request has too large a head, or takes too long to arrive."""

    #: Seconds in which a request must have arrived.
    arrival_seconds = 30.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._framing = 0
        self._is_arriving = True
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a first request."""
        super().connection_made(transport)
        self._expect_end()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._forget_end()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse some bytes, and count those that turn out to be no body."""
        self._framing += len(data)
        super().data_received(data)
        if self._framing > _MOST_FRAMING:
            self.transport.close()
        elif self._is_arriving and not self._deadline:
            self._expect_end()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._is_arriving = True
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        """A part of the body, which the app holds against a limit of its own."""
        self._framing -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is here; what follows is another."""
        self._is_arriving = False
        self._framing = 0
        self._forget_end()
        super().on_message_complete()

    def _expect_end(self) -> None:
        self._deadline = self.loop.call_later(self.arrival_seconds, self.transport.close)

    def _forget_end(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None
