"""An OAuth2 provider on loopback that knows one code."""

import asyncio
import json
from types import TracebackType
from typing import Self


class OAuth2Provider:
    """Exchanges `code` for a token, and a token for an account's name and address."""

    def __init__(self, code: str, account: dict[str, object]) -> None:
        self._code = code
        self._account = account
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._handle, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [x for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")]
        body = await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b""
        status, answer = "200 OK", self._account
        if head.startswith(b"POST"):
            answer = {"access_token": "granted", "token_type": "Bearer"}
            if f"code={self._code}".encode() not in body:
                status, answer = "400 Bad Request", {"error": "invalid_grant"}
        text = json.dumps(answer).encode()
        headers = f"Content-Type: application/json\r\nContent-Length: {len(text)}"
        writer.write(f"HTTP/1.1 {status}\r\n{headers}\r\nConnection: close\r\n\r\n".encode() + text)
        await writer.drain()
        writer.close()
