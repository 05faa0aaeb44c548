"""A lean HTTP/1.1 client for POST: deliveries come in tens of thousands.

It keeps connections open, reads the status and skips the body. httpx took ten times the time
of everything else that a delivery costs.
"""

import asyncio
import ssl
from collections import defaultdict
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

#: An answer's body is read up to this, so that the connection can be used again.
MOST_BODY = 1_000_000


@dataclass(slots=True)
class Connection:
    """An open connection and whether it served before."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    used: bool = False


class NothingCame(OSError):
    """The other side closed the connection before its answer began."""


@dataclass(slots=True)
class Poster:
    """Sends requests; one for one event loop."""

    tls: ssl.SSLContext
    idle: dict[str, list[Connection]] = field(default_factory=lambda: defaultdict(list))

    async def post(self, url: str, body: bytes, headers: dict[str, str], seconds: float) -> int:
        """Return the answer's status; OSError or TimeoutError when there is none."""
        target = urlsplit(url)
        request = _head(target, headers, len(body)) + body
        async with asyncio.timeout(seconds):
            for _ in range(len(self.idle[target.netloc]) + 1):
                connection = await self._connection(target)
                try:
                    return await self._exchange(target.netloc, connection, request)
                except NothingCame:
                    if not connection.used:
                        raise
        raise NothingCame(url)

    def close(self) -> None:
        """Close what is open."""
        for connections in self.idle.values():
            for connection in connections:
                connection.writer.close()
        self.idle.clear()

    async def _connection(self, target: SplitResult) -> Connection:
        if self.idle[target.netloc]:
            return self.idle[target.netloc].pop()
        secure = target.scheme == "https"
        port = target.port or (443 if secure else 80)
        context = self.tls if secure else None
        reader, writer = await asyncio.open_connection(target.hostname, port, ssl=context)
        return Connection(reader, writer)

    async def _exchange(self, netloc: str, connection: Connection, request: bytes) -> int:
        keep = False
        try:
            connection.writer.write(request)
            status, headers = await _answer(connection.reader)
            keep = await _skip_body(connection.reader, status, headers)
            return status
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            raise OSError(f"no whole answer: {error}") from error
        finally:
            if keep:
                connection.used = True
                self.idle[netloc].append(connection)
            else:
                connection.writer.close()


def _head(target: SplitResult, headers: dict[str, str], length: int) -> bytes:
    path = (target.path or "/") + (f"?{target.query}" if target.query else "")
    lines = [f"POST {path} HTTP/1.1", f"Host: {target.netloc.rpartition('@')[2]}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join([*lines, f"Content-Length: {length}"]) + "\r\n\r\n").encode("latin-1")


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """Read status and headers; interim answers (1xx) are passed over."""
    for _ in range(10):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            if getattr(error, "partial", b""):
                raise
            raise NothingCame("the connection was closed") from error
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        status = int(first.partition(" ")[2][:3])
        if status >= 200:
            pairs = [line.partition(":")[::2] for line in lines]
            return status, {name.strip().lower(): value.strip() for name, value in pairs}
    raise OSError("no final answer came")


async def _skip_body(reader: asyncio.StreamReader, status: int, headers: dict[str, str]) -> bool:
    """Read the body away; returns whether the connection can be used again."""
    if status in (204, 304):
        return _stays_open(headers)
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return await _skip_chunks(reader) and _stays_open(headers)
    length = int(headers.get("content-length", -1))
    if not 0 <= length <= MOST_BODY:
        return False
    await reader.readexactly(length)
    return _stays_open(headers)


async def _skip_chunks(reader: asyncio.StreamReader) -> bool:
    left = MOST_BODY
    while left > 0:
        size = int((await reader.readline()).split(b";")[0], 16)
        if size > left:
            break
        await reader.readexactly(size + 2)
        if size == 0:
            return True
        left -= size + 1
    return False


def _stays_open(headers: dict[str, str]) -> bool:
    return headers.get("connection", "").lower() != "close"
