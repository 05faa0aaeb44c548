"""A realtime subscriber that only counts messages, with almost no CPU time."""

import asyncio
import json
from types import TracebackType
from typing import Self

from bench.wire import connect, encode


class RealtimeCounter:
    """Counts the events of one topic."""

    def __init__(self, port: int, token: str, topic: str) -> None:
        self._port = port
        self._token = token
        self._topic = topic
        self._stream = _Stream(f"event:{topic}".encode())

    @property
    def seen(self) -> int:
        """Return the number of received messages."""
        return self._stream.seen

    async def wait(self, number: int) -> int:
        """Wait up to 5 s for this many messages; return the number of received messages."""
        for _ in range(100):
            if self.seen >= number:
                break
            await asyncio.sleep(0.05)
        return self.seen

    async def __aenter__(self) -> Self:
        """Connect and subscribe."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_connection(
            lambda: self._stream, "127.0.0.1", self._port
        )
        self._transport.write(b"GET /api/realtime HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        client_id = await self._stream.client_id
        body = json.dumps({"clientId": client_id, "subscriptions": [self._topic]}).encode()
        async with connect(self._port) as connection:
            request = encode("POST", "/api/realtime", body, [("Authorization", self._token)])
            status, answer = await connection.send(request)
            assert status == 204, answer
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Stop counting."""
        self._transport.close()


class _Stream(asyncio.Protocol):
    def __init__(self, marker: bytes) -> None:
        self._marker = marker
        self._rest = b""
        self.seen = 0
        #: The id that PocketBase gives the connection.
        self.client_id: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        self.seen += lines.count(self._marker)
        if not self.client_id.done():
            self._find_client_id(lines)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.client_id.done():
            self.client_id.set_exception(exc or ConnectionResetError())

    def _find_client_id(self, lines: list[bytes]) -> None:
        for line in lines:
            if line.startswith(b"data:") and b"clientId" in line:
                self.client_id.set_result(json.loads(line[5:])["clientId"])
