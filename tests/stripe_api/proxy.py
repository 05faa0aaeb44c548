"""A small HTTP proxy: passes on requests and CONNECT tunnels, and keeps what it was asked for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from tests.connections.server import read_request, serve


class ForwardProxy:
    """Leads every target to a port of this machine."""

    def __init__(self, find_port: Callable[[], int]) -> None:
        self._find_port = find_port
        #: The first words of each request's line.
        self.targets: list[str] = []

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """Serve; give the address."""
        async with serve(self._handle) as origin:
            yield origin

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, body = await read_request(reader)
        method, target, _ = head.decode().split(" ", 2)
        self.targets.append(f"{method} {target}")
        answers, requests = await asyncio.open_connection("127.0.0.1", self._find_port())
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            parts = urlsplit(target)
            path = f"{parts.path}?{parts.query}" if parts.query else parts.path
            requests.write(head.replace(target.encode(), path.encode(), 1) + body)
        ways = (
            asyncio.create_task(_pass(reader, requests)),
            asyncio.create_task(_pass(answers, writer)),
        )
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            requests.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
