"""A TCP proxy before PocketBase that can end the gateway at an exact moment of a commit."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_COMMIT = b"POST /api/gateway/commit"
_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class KillingProxy:
    """Passes bytes on; when armed, the next commit is the gateway's last deed."""

    def __init__(self, port: int, target_url: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._target = urlsplit(target_url)
        self._moment = ""
        self._kill: Callable[[], None] | None = None
        self._connections: set[asyncio.Task[None]] = set()

    def arm(self, moment: str, kill: Callable[[], None]) -> None:
        """Call `kill` `before` the next commit reaches PocketBase, or `after` it has answered."""
        self._moment, self._kill = moment, kill

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
        connection = asyncio.create_task(self._connect((reader, writer)))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _connect(self, gateway: _Connection) -> None:
        """Pass bytes both ways until either side closes."""
        target = await asyncio.open_connection(self._target.hostname, self._target.port)
        is_committing = asyncio.Event()
        ways = [
            asyncio.create_task(self._pass_requests(gateway[0], target[1], is_committing)),
            asyncio.create_task(self._pass_answers(target[0], gateway[1], is_committing)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for _, writer in (gateway, target):
                writer.transport.abort()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _pass_requests(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        is_committing: asyncio.Event,
    ) -> None:
        while data := await reader.read(65_536):
            if data.startswith(_COMMIT) and self._kill:
                is_committing.set()
                if self._moment == "before":
                    self._end_gateway()
                    break
            writer.write(data)

    async def _pass_answers(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        is_committing: asyncio.Event,
    ) -> None:
        while data := await reader.read(65_536):
            if is_committing.is_set() and self._kill:
                self._end_gateway()
                break
            writer.write(data)

    def _end_gateway(self) -> None:
        assert self._kill
        self._kill()
        self._kill = None
