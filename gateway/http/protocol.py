"""Uvicorn's HTTP protocol with limits on a request's head, and an end without lost requests."""

import asyncio
from itertools import count
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.http.open_files import count_allowed_connections
from gateway.http.refusal import build_refusal

#: Bytes of a request that are not its body: the head, and the framing of chunks.
_MAX_FRAMING_BYTES = 65_536

#: A key of the request's state: a function that ends the response when the server stops, for one
#: that has no end of its own.
AT_SHUTDOWN = "at_shutdown"


class BoundedHttpProtocol(HttpToolsProtocol):
    """Closes connections with a head that is too large, and those of slow senders and readers.

    At the limit of connections, the oldest one without a complete request is closed for a new one,
    so that many open connections neither keep others out nor use up the files of the process.

    At the end of the process, a connection stays open until a request that a proxy has already
    sent is answered. uvicorn would close it although the request may be in the socket's buffer,
    and a proxy does not repeat a POST that may have had an effect.
    """

    #: Maximum time from the first byte of a request to its last.
    arrival_seconds = 30.0
    #: Time in which the rest of a request that was answered early is read and dropped, so that the
    #: client reads the response: a connection that is closed with unread bytes loses it.
    lingering_seconds = 5.0
    #: Time in which a client reads enough of a response for the next part to be sent.
    reading_seconds = 60.0
    #: Time in which a request that was sent before the end arrives.
    ending_seconds = 0.3
    _numbers = count()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._framing = 0
        self._is_arriving = True
        #: Requests that have begun to arrive and have no response yet, more than one if pipelined.
        self._unanswered = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None
        self._is_ending = False
        self._number = next(self._numbers)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline of the first request, and keep the limit of connections."""
        super().connection_made(transport)
        if len(self.connections) > count_allowed_connections():
            self._close_oldest()
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadlines."""
        self._cancel_deadline()
        self._cancel_reading()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Give the client some time to read what was sent."""
        super().pause_writing()
        # Not `close`, which waits until the client has read it.
        self._reading = self.loop.call_later(self.reading_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read most of it."""
        self._cancel_reading()
        super().resume_writing()

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
        self._unanswered += 1
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

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are not a request as the app answers errors, and close."""
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(build_refusal(msg))
        self.transport.close()

    def on_response_complete(self) -> None:
        """End a response; a client that still sends the request's body has to end it soon."""
        super().on_response_complete()
        self._unanswered -= 1
        if self._is_arriving and not self._unanswered:
            self._cancel_deadline()
            self._start_deadline(self.lingering_seconds)

    def on_headers_complete(self) -> None:
        """Start the request; the last one of an ending process closes the connection.

        Raises:
            ValueError: the request is ambiguous; the parser's caller answers 400.
        """
        if sum(name == b"host" for name, _ in self.headers) > 1:
            raise ValueError("two Host headers (RFC 9112, 3.2)")
        super().on_headers_complete()
        if self._is_ending and self.cycle:
            self.cycle.keep_alive = False

    def shutdown(self) -> None:
        """Close the connection after the present request, or if none arrives."""
        self._is_ending = True
        if self.cycle and not self.cycle.response_complete:
            super().shutdown()
            if stop := self.cycle.scope.get("state", {}).get(AT_SHUTDOWN):
                stop()
        else:
            self.loop.call_later(self.ending_seconds, self._close_idle)

    @property
    def _is_serving(self) -> bool:
        """Whether a complete request is being answered."""
        return bool(self.cycle and not self.cycle.response_complete and not self._is_arriving)

    def _close_oldest(self) -> None:
        idle = [
            each
            for each in self.connections
            if isinstance(each, BoundedHttpProtocol) and not each._is_serving
        ]
        oldest = min(idle, key=lambda each: each._number)
        # Not `close`, which waits until a client has read what was sent.
        oldest.transport.abort()

    def _close_idle(self) -> None:
        if not (self._is_arriving and self._framing):
            super().shutdown()

    def _start_deadline(self, seconds: float | None = None) -> None:
        self._deadline = self.loop.call_later(
            self.arrival_seconds if seconds is None else seconds, self.transport.close
        )

    def _cancel_reading(self) -> None:
        if self._reading:
            self._reading.cancel()
            self._reading = None

    def _cancel_deadline(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None
