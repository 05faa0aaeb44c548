"""HTTP/1.1 connections to PocketBase and Stripe that are kept alive, and next to nothing else.

Every delivery and every purchase waits for a call; a general client costs it several times as much
(docs/decisions/005-http-client.md). Parsing is httptools'.
"""

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import httptools

#: Seconds to wait for a connection.
_CONNECT = 3.0
#: Seconds after which an idle connection is not used again; both close it later.
_IDLE = 50.0
#: Requests that may be under way at once; others wait for their turn.
_MOST = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request."""

    status: int
    body: bytes
    #: Names and values, names in lower case.
    headers: list[tuple[bytes, bytes]]


class Connections:
    """Sends requests to one origin, each on a connection of its own while it is under way."""

    def __init__(
        self,
        origin: str,
        headers: Mapping[str, str],
        timeout: float,
        *,
        certificates: str | None = None,
    ) -> None:
        """Take where requests go, and what goes with each.

        Args:
            origin: ``http://host:port``, and a path before all others if there is one.
            headers: those of every request that brings none of the same name.
            timeout: the seconds that an answer may take.
            certificates: a file of authorities to trust besides the system's.
        """
        parts = urlsplit(origin)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._ssl = _trust(certificates) if parts.scheme == "https" else None
        self._path = parts.path
        self._common = {"host": f"Host: {parts.netloc}"}
        self._common |= {name.lower(): f"{name}: {value}" for name, value in headers.items()}
        self._timeout = timeout
        self._idle: list[_Connection] = []
        self._turns = asyncio.Semaphore(_MOST)

    async def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        is_repeatable: bool = False,
    ) -> Answer:
        """Send one request, once.

        Args:
            is_repeatable: whether it acts once, however often it is sent; a GET always is.

        Raises:
            OSError: no connection, it broke, or (TimeoutError) no answer came in time.
        """
        request = self._encode(method, path, headers, body)
        async with asyncio.timeout(self._timeout), self._turns:
            connection = self._take()
            if connection:
                try:
                    return await self._exchange(connection, request)
                except ConnectionError:
                    # It was closed while idle, most likely; but the request may have been served.
                    if method != "GET" and not is_repeatable:
                        raise
            return await self._exchange(await self._connect(), request)

    async def _exchange(self, connection: "_Connection", request: bytes) -> Answer:
        try:
            answer = await connection.send(request)
        except BaseException:
            # What still comes would be taken for the answer to the next request.
            connection.close()
            raise
        if connection.is_open:
            connection.idle_since = time.monotonic()
            self._idle.append(connection)
        return answer

    def close(self) -> None:
        """Close the connections that are idle."""
        while self._idle:
            self._idle.pop().close()

    def _encode(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> bytes:
        given = {name.lower(): f"{name}: {value}" for name, value in headers.items()}
        lines = [f"{method} {self._path}{path} HTTP/1.1", *(self._common | given).values()]
        if body is not None or method != "GET":
            lines.append(f"Content-Length: {len(body or b'')}")
        # An id or a token comes from outside, and must not end its line.
        if " " in path or any(_breaks_line(text) for text in (path, *headers.values())):
            raise ValueError("a path or header has a character that it can't have")
        return "\r\n".join((*lines, "", "")).encode() + (body or b"")

    def _take(self) -> "_Connection | None":
        """The connection that was used last, if it is still good."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and time.monotonic() - connection.idle_since < _IDLE:
                return connection
            connection.close()
        return None

    async def _connect(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_CONNECT):
            _, connection = await loop.create_connection(
                _Connection, self._host, self._port, ssl=self._ssl
            )
        return connection


def _trust(certificates: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if certificates:
        context.load_verify_locations(certificates)
    return context


def _breaks_line(text: str) -> bool:
    return "\r" in text or "\n" in text or "\0" in text


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self.is_open = False
        self.idle_since = 0.0
        self._body = bytearray()
        self._headers: list[tuple[bytes, bytes]] = []
        self._answer: asyncio.Future[Answer] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True

    def connection_lost(self, exc: Exception | None) -> None:
        self._break(exc)

    def data_received(self, data: bytes) -> None:
        if not self._answer or self._answer.done():
            self.close()  # Nobody asked.
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._break(error)

    def send(self, request: bytes) -> "asyncio.Future[Answer]":
        """Send a request; the future gives its answer, or an OSError."""
        self._parser = httptools.HttpResponseParser(self)
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def close(self) -> None:
        """Close the connection; whoever waits for an answer gets none."""
        self.is_open = False
        self._transport.close()

    def on_message_begin(self) -> None:
        if self._answer and self._answer.done():
            self.close()  # What is left of this one would be taken for the next answer.
        self._body = bytearray()
        self._headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            return  # The answer is still to come.
        if not self._parser.should_keep_alive():
            self.close()
        if self._answer and not self._answer.done():
            self._answer.set_result(Answer(status, bytes(self._body), self._headers))

    def _break(self, reason: Exception | None) -> None:
        self.close()
        if self._answer and not self._answer.done():
            error = ConnectionResetError("the connection broke before the answer was whole")
            error.__cause__ = reason
            self._answer.set_exception(error)
