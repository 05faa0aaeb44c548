"""A TCP proxy between a gateway and its PocketBase: what passes is for a subclass to say."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

#: How a commit begins. A request always begins a read, for each waits for the answer before it.
COMMIT = b"POST /api/gateway/commit"


class Proxy:
    """Passes bytes on, both ways, until either side closes."""

    def __init__(self, port: int, target_url: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._target = urlsplit(target_url)
        self._connections: set[asyncio.Task[None]] = set()

    async def may_ask(self, connection: object, data: bytes) -> bool:
        """Whether bytes of the gateway's go on; if not, the connection ends."""
        return True

    async def may_answer(self, connection: object, data: bytes) -> bool:
        """Whether bytes of PocketBase's go on; if not, the connection ends."""
        return True

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._connect(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_connection(self._target.hostname, self._target.port)
        connection = object()
        ways = [
            asyncio.create_task(_pass(reader, requests, partial(self.may_ask, connection))),
            asyncio.create_task(_pass(answers, writer, partial(self.may_answer, connection))),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for end in (writer, requests):
                end.transport.abort()
            await asyncio.gather(*ways, return_exceptions=True)


async def _pass(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    may_pass: Callable[[bytes], Awaitable[bool]],
) -> None:
    while (data := await reader.read(65_536)) and await may_pass(data):
        writer.write(data)
