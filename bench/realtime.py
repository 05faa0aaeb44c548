"""A PocketBase realtime subscriber that only counts."""

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
        self.seen = 0

    async def __aenter__(self) -> Self:
        """Connect and subscribe."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writer.write(b"GET /api/realtime HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        head = await self._reader.readuntil(b"PB_CONNECT")
        while b"clientId" not in head:
            head = await self._reader.readuntil(b"}")
        client = json.loads(head[head.index(b"{") :])["clientId"]
        body = json.dumps({"clientId": client, "subscriptions": [self._topic]}).encode()
        async with connect(self._port) as connection:
            request = encode("POST", "/api/realtime", body, [("Authorization", self._token)])
            status, answer = await connection.send(request)
            assert status == 204, answer
        self._task = asyncio.create_task(self._count())
        return self

    async def _count(self) -> None:
        marker = f"event:{self._topic}".encode()
        rest = b""
        while chunk := await self._reader.read(1 << 16):
            rest += chunk
            self.seen += rest.count(marker)
            rest = rest[rest.rfind(b"\n") + 1 :]

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Stop counting."""
        self._task.cancel()
        self._writer.close()
