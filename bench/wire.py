"""The load generator's HTTP client: keep-alive, raw bytes, as little CPU time as possible.

It shares two cores with the measured servers, so it does not use httpx.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

import httptools


class Connection(asyncio.Protocol):
    """One HTTP/1.1 connection that sends a request and waits for its answer."""

    def __init__(self) -> None:
        self._body = bytearray()
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        # uvloop's transports are not subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Feed the parser."""
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the current request."""
        if self._answer and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError())

    def on_message_begin(self) -> None:
        """Begin a response."""
        self._body.clear()

    def on_body(self, body: bytes) -> None:
        """Append a part of the body."""
        self._body += body

    def on_message_complete(self) -> None:
        """End a response."""
        assert self._answer
        if not self._answer.done():
            self._answer.set_result((self._parser.get_status_code(), bytes(self._body)))

    def send(self, request: bytes) -> "asyncio.Future[tuple[int, bytes]]":
        """Send one request; the future gives status and body."""
        assert self._transport
        self._parser = httptools.HttpResponseParser(self)
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def close(self) -> None:
        """Close the connection."""
        if self._transport:
            self._transport.close()


@asynccontextmanager
async def connect(port: int) -> AsyncIterator[Connection]:
    """Open a connection to a port of this machine."""
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(Connection, "127.0.0.1", port)
    try:
        yield connection
    finally:
        connection.close()


def encode(
    method: str,
    path: str,
    body: bytes,
    headers: Iterable[tuple[str, str]] = (),
    kind: str = "application/json",
) -> bytes:
    """Return a request's bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {kind}"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass(frozen=True, slots=True)
class Load:
    """The result of a run."""

    seconds: float
    #: Seconds per request, sorted.
    latencies: Sequence[float]
    #: Requests that were not answered 2xx.
    refused: int

    @property
    def rate(self) -> float:
        """Return requests per second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Return a percentile of the latency in milliseconds; `share` is 0 to 1."""
        return self.latencies[int((len(self.latencies) - 1) * share)] * 1000


async def run_load(
    port: int, clients: int, seconds: float, next_request: Callable[[], bytes]
) -> Load:
    """Run clients that send one request after another, each on its own connection."""
    latencies: list[float] = []
    refused = 0
    end = time.perf_counter() + seconds

    async def send_requests() -> None:
        nonlocal refused
        async with connect(port) as connection:
            while time.perf_counter() < end:
                request = next_request()
                started = time.perf_counter()
                status, _ = await connection.send(request)
                latencies.append(time.perf_counter() - started)
                refused += status >= 300

    started = time.perf_counter()
    await asyncio.gather(*(send_requests() for _ in range(clients)))
    return Load(time.perf_counter() - started, sorted(latencies), refused)
