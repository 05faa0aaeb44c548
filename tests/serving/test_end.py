"""The end of a gateway process behind a proxy: no request that was sent is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

import pytest
import uvicorn
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.dev.ports import LOOPBACK, pick_free
from gateway.http.protocol import BoundedHttpProtocol
from tests.deadline import wait_until

_POST = b"POST / HTTP/1.1\r\nHost: gateway\r\nContent-Length: 2\r\n\r\nok"


class _Patient(BoundedHttpProtocol):
    """Leaves the test time to send."""

    ending_seconds = 2.0


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    await Response(b"{}")(scope, receive, send)


@asynccontextmanager
async def _serve() -> AsyncIterator[tuple[uvicorn.Server, int, ExitStack]]:
    port = pick_free()
    options = {"http": _Patient, "lifespan": "off", "log_config": None}
    server = uvicorn.Server(uvicorn.Config(_answer, port=port, **options))  # type: ignore[arg-type]
    serving = asyncio.create_task(server.serve())
    await asyncio.to_thread(wait_until, lambda: server.started)
    with ExitStack() as stack:
        yield server, port, stack
    server.should_exit = True
    await serving


@pytest.mark.parametrize("earlier", [0, 1])
async def test_a_request_on_an_idle_connection_is_answered(earlier: int) -> None:
    """It was sent before the sender knows of the end; it is the connection's last one."""
    async with _serve() as (server, port, stack), asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        stack.callback(writer.close)
        for _ in range(earlier):
            writer.write(_POST)
            await reader.readuntil(b"{}")
        server.should_exit = True
        await asyncio.to_thread(wait_until, lambda: not server.servers[0].is_serving())
        writer.write(_POST)
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"connection: close" in answer.lower()


async def test_idle_connections_do_not_delay_the_end() -> None:
    """A connection without a request is closed after the time in which one could arrive."""
    async with _serve() as (server, port, stack), asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        stack.callback(writer.close)
        server.should_exit = True
        assert await reader.read() == b""
