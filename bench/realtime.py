"""A PocketBase realtime subscriber that only counts, at next to no cost of its own."""

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
        self._stream = _Stream(f"event:{topic}\n".encode())

    @property
    def seen(self) -> int:
        """How many have come."""
        return self._stream.seen

    async def wait(self, number: int) -> int:
        """Wait up to 5 s for what is still on its way to so many; return how many have come."""
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
        client = await self._stream.client
        body = json.dumps({"clientId": client, "subscriptions": [self._topic]}).encode()
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
        self.client: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        text = self._rest + data
        if not self.client.done():
            head, _, message = text.partition(b"data:")
            if b"PB_CONNECT" in head and b"}" in message:
                self.client.set_result(json.loads(message.splitlines()[0])["clientId"])
        self.seen += text.count(self._marker)
        # A marker that has only begun.
        self._rest = text[text.rfind(b"\n") + 1 :] if self.client.done() else text
