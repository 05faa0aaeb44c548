"""A server in Stripe's place that keeps each request, and answers what a test gives it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.connections.server import read_request, serve

SESSION = (
    b'{"id": "cs_1", "object": "checkout.session", "url": "https://pay", "client_secret": null}'
)


def answer(status: str = "200 OK", body: bytes = SESSION, *headers: str) -> bytes:
    """Return an answer of HTTP."""
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Request-Id: req_1", *headers)
    return "\r\n".join((*lines, "", "")).encode() + body


@dataclass
class Recorder:
    """Recorded requests, and prepared answers: each is used once, the last one repeatedly."""

    answers: list[bytes] = field(default_factory=lambda: [answer()])
    requests: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    connections: int = 0

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """Serve; give the address."""
        async with serve(self._handle) as origin:
            yield origin

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            head, body = await read_request(reader)
            line, *rest = head.decode().strip().split("\r\n")
            pairs = (each.split(": ", 1) for each in rest)
            headers = {name.lower(): value for name, value in pairs}
            self.requests.append((line, headers, body.decode()))
            found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if not found:
                return
            writer.write(found)
