"""A TCP proxy before PocketBase that holds each commit back until it is let through."""

import asyncio
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.deadline import eventually

_COMMIT = b"POST /api/gateway/commit"


class HoldingProxy:
    """Passes bytes on, but of commits only those that are released."""

    def __init__(self, port: int, target_url: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._releases: list[asyncio.Event] = []
        self._port = port
        self._target = urlsplit(target_url)
        self._is_open = False
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def commits(self) -> int:
        """How many commits have come."""
        return len(self._releases)

    async def hold(self, number: int) -> None:
        """Wait until this many commits have come."""

        async def have_come() -> bool:
            return self.commits >= number

        await eventually(have_come)

    def release(self, place: int) -> None:
        """Let one commit through."""
        self._releases[place].set()

    def open(self) -> None:
        """Let all commits through from now on."""
        self._is_open = True
        for release in self._releases:
            release.set()

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
        async with AsyncExitStack() as ends:
            for each in (writer, requests):
                ends.callback(each.transport.abort)
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._pass(reader, requests))
                ways.create_task(self._pass(answers, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if data.startswith(_COMMIT):
                release = asyncio.Event()
                self._releases.append(release)
                if not self._is_open:
                    await release.wait()
            writer.write(data)
        raise ConnectionResetError
