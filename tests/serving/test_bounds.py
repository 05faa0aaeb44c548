"""Limits of memory and time for a stranger's connections."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.dev.ports import LOOPBACK, pick_free
from gateway.dev.stack import Stack
from gateway.http.protocol import BoundedHttpProtocol
from tests.deadline import wait_until
from tests.delivery import Sender, build_event
from tests.problem import read_problem

_MEGABYTE = b"a" * (1 << 20)
_HEAD = b"POST /webhooks/stripe HTTP/1.1\r\nHost: gateway\r\n"
_ENDLESS = {
    "header": _HEAD + b"X-Header: ",
    "address": b"GET /",
    "trailer": _HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Trailer: ",
    "chunk extension": _HEAD + b"Transfer-Encoding: chunked\r\n\r\n2;x=",
}


@asynccontextmanager
async def _connect(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield reader, writer
    finally:
        writer.close()


@pytest.mark.parametrize("part", _ENDLESS)
async def test_an_endless_head_is_cut_off(part: str, stack: Stack) -> None:
    """The connection is closed long before the gateway has read twenty megabytes."""
    async with _connect(stack.gateway.url) as (reader, writer), asyncio.timeout(10):
        writer.write(_ENDLESS[part])
        sent = 0
        try:
            while sent < 20:
                writer.write(_MEGABYTE)
                await writer.drain()
                sent += 1
            await reader.read()
        except ConnectionError:
            pass
    assert sent < 20


async def test_tiny_chunks_are_cut_off(stack: Stack) -> None:
    """A body of tiny chunks costs more to read than any sender needs."""
    async with _connect(stack.gateway.url) as (reader, writer), asyncio.timeout(10):
        writer.write(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 100_000)
        try:
            answer = await reader.read()
        except ConnectionError:
            answer = b""
    assert b" 200 " not in answer
    assert b" 400 " not in answer


async def test_a_large_head_below_the_limit_is_read(stack: Stack) -> None:
    """Cookies and tokens of many kilobytes are accepted."""
    async with _connect(stack.gateway.url) as (reader, writer), asyncio.timeout(10):
        head = b"GET /health HTTP/1.1\r\nHost: gateway\r\nX-Header: " + _MEGABYTE[:60_000]
        for _ in range(3):
            writer.write(head + b"\r\n\r\n")
            assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200 OK")


class _Impatient(BoundedHttpProtocol):
    """Waits a moment only."""

    arrival_seconds = 0.3
    lingering_seconds = 0.1
    reading_seconds = 0.5


async def _read_whole(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await Response(body)(scope, receive, send)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    await Response("no", 401)(scope, receive, send)


@asynccontextmanager
async def _serve_impatiently(app: ASGIApp = _read_whole) -> AsyncIterator[str]:
    """Serve an app, by default one that reads bodies without a limit of its own."""
    port = pick_free()
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, http=_Impatient, lifespan="off", log_config=None)
    )
    serving = asyncio.create_task(server.serve())
    await asyncio.to_thread(wait_until, lambda: server.started)
    yield f"http://{LOOPBACK}:{port}"
    server.should_exit = True
    await serving


@pytest.mark.parametrize(
    "part", [b"", b"POST / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc"]
)
@pytest.mark.parametrize("is_first", [True, False], ids=["first", "second"])
async def test_a_request_must_arrive_in_time(part: bytes, is_first: bool) -> None:
    """A connection that leaves a request unfinished is closed, also after a finished one."""
    async with _serve_impatiently() as url, _connect(url) as (reader, writer), asyncio.timeout(10):
        if not is_first:
            writer.write(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nok")
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        writer.write(part or b"P")
        assert b" 200 " not in await reader.read()


async def test_many_open_connections_keep_nobody_out(
    fresh_stack: Callable[..., Stack], http: httpx.AsyncClient
) -> None:
    """Three times as many as the process may have files: a delivery is still stored at once."""
    own = fresh_stack(start=False)
    own.gateway.command = ("sh", "-c", 'ulimit -n 200; exec "$@"', "sh", *own.gateway.command)
    own.pocketbase.ensure_superuser()
    for part in (own.pocketbase, own.gateway):
        part.start()
        part.wait_healthy()
    sender = Sender(http, own.gateway.url, own.plan.stripe.webhook_secrets[0])
    address = urlsplit(own.gateway.url)
    open_connections = []
    try:
        for number in range(600):
            _, writer = await asyncio.open_connection(address.hostname, address.port)
            # Idle, a part of a head, and a part of a body.
            writer.write((b"", b"GET / HT", _HEAD + b"Content-Length: 9\r\n\r\n{")[number % 3])
            open_connections.append(writer)
        async with asyncio.timeout(30):
            event = build_event("some.type", {"id": "x_1", "object": "x"})
            assert (await sender.send(event)).status_code == 200
    finally:
        for writer in open_connections:
            writer.close()


async def test_compressed_bodies_are_not_expanded(stack: Stack, http: httpx.AsyncClient) -> None:
    """A gzip bomb of 20 kB is refused as the bytes that it is."""
    bomb = gzip.compress(b" " * 20_000_000)
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    process = psutil.Process(stack.gateway.pid)
    before = process.memory_info().rss
    for path in ("/webhooks/stripe", "/checkout"):
        answer = await http.post(stack.gateway.url + path, content=bomb, headers=headers)
        read_problem(answer, 400 if path == "/webhooks/stripe" else 401)
    assert process.memory_info().rss - before < 10_000_000


@pytest.mark.parametrize(("path", "status"), [("/webhooks/stripe", 413), ("/portal", 401)])
async def test_an_endless_body_is_refused(path: str, status: int, stack: Stack) -> None:
    """A chunked body without an end is refused at the limit; without a token, unread."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    async with _connect(stack.gateway.url) as (reader, writer), asyncio.timeout(10):
        writer.write(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(3):
            writer.write(b"100000\r\n" + _MEGABYTE + b"\r\n")
        assert (await reader.readline()).startswith(f"HTTP/1.1 {status} ".encode())


async def test_a_refused_body_is_not_read_on() -> None:
    """A connection that goes on sending after the response is closed a moment later."""
    async with (
        _serve_impatiently(_refuse) as url,
        _connect(url) as (reader, writer),
        asyncio.timeout(10),
    ):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\na")
        assert (await reader.readuntil(b"no")).startswith(b"HTTP/1.1 401")
        assert await reader.read() == b""
        # One that is complete by then stays open.
        async with _connect(url) as (next_reader, next_writer):
            for _ in range(2):
                next_writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na")
                assert (await next_reader.readuntil(b"no")).startswith(b"HTTP/1.1 401")


async def test_a_response_must_be_read_in_time() -> None:
    """A connection of a client that does not read is closed; one that reads gets everything."""
    body, has_ended = 16 * _MEGABYTE, asyncio.Event()

    async def send_much(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": body, "more_body": scope["path"] != "/"})
        while (await receive())["type"] != "http.disconnect":
            pass
        has_ended.set()

    async with _serve_impatiently(send_much) as url, _connect(url) as (_, writer):
        writer.write(b"GET /unread HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(10):
            await has_ended.wait()
        async with _connect(url) as (reader, reading):
            reading.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert (await reader.read()).endswith(b"a" * 1000 + b"\r\n0\r\n\r\n")


_AMBIGUOUS = {
    "two framings": b"Content-Length: 30\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "list of lengths": b"Content-Length: 3, 3\r\n\r\nabc",
    "unknown coding": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "coding after chunked": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "space before the colon": b"Content-Length : 3\r\n\r\nabc",
    "bare line feed": b"X: a\nContent-Length: 3\r\n\r\nabc",
    "bare carriage return": b"X: a\rContent-Length: 3\r\n\r\nabc",
    "folded line": b"X: a\r\n Content-Length: 3\r\n\r\nabc",
    "NUL byte": b"X: a\x00b\r\nContent-Length: 3\r\n\r\nabc",
    "signed length": b"Content-Length: +3\r\n\r\nabc",
    "two hosts": b"Host: b\r\nContent-Length: 3\r\n\r\nabc",
    "invalid chunk": b"Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("rest", _AMBIGUOUS.values(), ids=_AMBIGUOUS.keys())
async def test_ambiguous_requests_are_refused(rest: bytes, stack: Stack) -> None:
    """A request that a proxy may split in another way is a 400, and what follows is not read."""
    smuggled = b"GET /health HTTP/1.1\r\nHost: gateway\r\n\r\n"
    async with _connect(stack.gateway.url) as (reader, writer), asyncio.timeout(10):
        writer.write(_HEAD + rest + smuggled)
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"\r\nx-content-type-options: nosniff" in head
    assert b"\r\ncontent-type: application/problem+json" in head
    assert json.loads(body)["status"] == 400


_UNUSUAL = {
    "server as the target": (b"OPTIONS * HTTP/1.1\r\nHost: gateway\r\n", 404),
    "absolute target": (b"GET http://gateway/health HTTP/1.1\r\nHost: gateway\r\n", 200),
    "old version": (b"GET /health HTTP/1.0\r\n", 200),
    "no host": (b"GET /health HTTP/1.1\r\n", 200),
    "bytes that are no text": (b"GET /%ff%00 HTTP/1.1\r\nHost: gateway\r\n", 404),
}


@pytest.mark.parametrize(("head", "status"), _UNUSUAL.values(), ids=_UNUSUAL.keys())
async def test_unusual_requests_have_an_answer(head: bytes, status: int, stack: Stack) -> None:
    """Every form of a target is answered, with security headers and without a server error."""
    async with _connect(stack.gateway.url) as (reader, writer), asyncio.timeout(10):
        writer.write(head + b"Connection: close\r\n\r\n")
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nx-content-type-options: nosniff\r\n" in answer
