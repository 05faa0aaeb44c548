"""Time-outs, retries and answers that are not PocketBase's, against servers that misbehave."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgi_correlation_id import correlation_id

from gateway.dev.pocketbase import PocketBaseProcess
from gateway.pocketbase.api import (
    FileUpload,
    InvalidAnswer,
    PocketBaseClient,
    PocketBaseError,
    RateLimited,
    Unavailable,
    ValidationFailed,
)

_Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_LIST = b'{"items": [], "page": 1, "perPage": 30, "totalItems": 0, "totalPages": 0}'


def _respond(status: str, body: bytes, headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}Connection: close\r\n\r\n"
    return head.encode() + body


async def _read(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line.split(b":")[1]))
    return head


@asynccontextmanager
async def _serve(handle: _Handler, **options: Any) -> AsyncIterator[PocketBaseClient]:
    """A client of a server that treats each connection by a function."""

    async def handle_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle(reader, writer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle_and_close, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with PocketBaseClient(f"http://127.0.0.1:{port}", **options) as client:
            yield client
    finally:
        server.close()


def _answer(*answers: bytes) -> tuple[_Handler, list[bytes]]:
    """A server that gives one answer after the other, and the heads of the requests."""
    heads: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await _read(reader))
        writer.write(answers[min(len(heads), len(answers)) - 1])

    return handle, heads


@pytest.mark.parametrize(
    ("answer", "kind", "status"),
    [
        (_respond("200 OK", b"<html>"), InvalidAnswer, 502),
        (_respond("200 OK", b'{"items"'), InvalidAnswer, 502),
        (_respond("200 OK", b"\xff\xfe"), InvalidAnswer, 502),
        (_respond("200 OK", b"[]"), InvalidAnswer, 502),
        (_respond("200 OK", b"null"), InvalidAnswer, 502),
        (_respond("200 OK", b'{"items": 1}'), InvalidAnswer, 502),
        (_respond("200 OK", b'{"items": [1], "page": 1}'), InvalidAnswer, 502),
        (_respond("204 No Content", b""), InvalidAnswer, 502),
        (_respond("301 Moved", b"", "Location: https://x/\r\n"), InvalidAnswer, 502),
        (_respond("400 Bad Request", b"<html>"), ValidationFailed, 400),
        (_respond("400 Bad Request", b'{"data": 7, "message": 7}'), ValidationFailed, 400),
        (_respond("409 Conflict", b'{"message": "no"}'), PocketBaseError, 409),
        (_respond("413 Too Large", b""), PocketBaseError, 413),
        (_respond("429 Too Many", b"", "Retry-After: 99\r\n"), RateLimited, 429),
        (_respond("408 Timeout", b""), Unavailable, 503),
        (_respond("500 Error", b'{"message": "disk full"}'), Unavailable, 503),
        (_respond("502 Bad Gateway", b"<html>"), Unavailable, 503),
        (b"nonsense\r\n\r\n", Unavailable, 503),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", Unavailable, 503),
        (b"", Unavailable, 503),
    ],
)
async def test_an_answer_that_is_not_pocketbases_is_an_error(
    answer: bytes, kind: type[PocketBaseError], status: int
) -> None:
    """Any invalid response raises an exception of ours with the reason."""
    handle, _ = _answer(answer)
    async with _serve(handle, retries=0) as client:
        with pytest.raises(kind) as caught:
            await client.collection("posts").list()
    assert caught.value.status == status
    assert caught.value.message


async def test_calls_of_a_request_have_its_id() -> None:
    """A write of an endpoint and the transform that it passes are logged with one request id."""
    handle, received = _answer(_respond("200 OK", _LIST))
    async with _serve(handle) as client:
        token = correlation_id.set("request-1")
        try:
            await client.collection("posts").list()
        finally:
            correlation_id.reset(token)
        await client.collection("posts").list()
    assert [b"x-request-id: request-1" in head.lower() for head in received] == [True, False]


async def test_the_status_behind_unavailable_is_told() -> None:
    """With PocketBase's message; a caller of an endpoint gets 503 all the same."""
    handle, _ = _answer(_respond("500 Error", b'{"message": "disk full"}'))
    async with _serve(handle) as client:
        with pytest.raises(Unavailable, match="HTTP 500: disk full") as caught:
            await client.collection("posts").list()
    assert caught.value.upstream_status == 500


async def test_a_connection_that_breaks_is_tried_again_for_reads_only() -> None:
    """A GET is sent again; another request may have been served."""
    handle, heads = _answer(b"", b"", _respond("200 OK", _LIST))
    async with _serve(handle) as client:
        assert (await client.collection("posts").list()).items == []
        assert len(heads) == 3
    handle, heads = _answer(b"", _respond("200 OK", b"{}"))
    async with _serve(handle) as client:
        with pytest.raises(Unavailable):
            await client.collection("posts").create({"title": "x"})
        assert len(heads) == 1


async def test_a_write_that_was_rate_limited_is_sent_again() -> None:
    """A 429 did nothing; Retry-After says when."""
    limited = _respond("429 Too Many", b"{}", "Retry-After: 1\r\n")
    handle, heads = _answer(limited, _respond("200 OK", b'{"id": "x"}'))
    async with _serve(handle) as client:
        begin = asyncio.get_running_loop().time()
        assert await client.collection("posts").create({"title": "x"}) == {"id": "x"}
        assert asyncio.get_running_loop().time() - begin >= 1
    assert len(heads) == 2


async def test_an_upload_is_sent_whole_again_or_not_at_all() -> None:
    """A file is read from its start at each attempt; a stream that can't be is sent once."""
    limited = _respond("429 Too Many", b"{}", "Retry-After: 0\r\n")
    sizes: list[int] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sizes.append(len(await reader.readuntil(b"--\r\n")))
        writer.write(limited if len(sizes) % 2 else _respond("200 OK", b'{"id": "x"}'))

    class Stream(io.BytesIO):
        def seekable(self) -> bool:
            return False

    async with _serve(handle) as client:
        posts = client.collection("posts")
        assert await posts.create({"f": FileUpload(io.BytesIO(b"x" * 99), "a")}) == {"id": "x"}
        assert sizes[0] == sizes[1] > 99
        with pytest.raises(RateLimited):
            await posts.create({"f": FileUpload(Stream(b"x"), "a")})
    assert len(sizes) == 3


async def test_a_server_error_is_not_sent_again() -> None:
    """PocketBase may have acted before it failed."""
    handle, heads = _answer(_respond("500 Error", b"{}"), _respond("200 OK", b"{}"))
    async with _serve(handle) as client:
        with pytest.raises(Unavailable):
            await client.collection("posts").create({"title": "x"})
    assert len(heads) == 1


async def test_a_call_may_take_longer_than_the_client_allows() -> None:
    """A call's own time-out replaces the client's, as a backup needs it."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _read(reader)
        await asyncio.sleep(0.6)
        writer.write(_respond("204 No Content", b""))

    async with _serve(handle, timeout=0.2) as client:
        await client.backups.create(timeout=10)


@pytest.mark.parametrize("trickle", [False, True])
async def test_an_answer_that_does_not_come_ends_in_time(trickle: bool) -> None:
    """The time-out is for the whole call, also when a byte arrives now and then."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _read(reader)
        if trickle:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
        while trickle and not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)
        await reader.read()

    async with _serve(handle, timeout=0.4) as client:
        begin = asyncio.get_running_loop().time()
        with pytest.raises(Unavailable, match=r"0\.4 s"):
            await client.collection("posts").list()
        assert asyncio.get_running_loop().time() - begin < 3


async def test_a_cancelled_call_frees_its_connection(
    server: PocketBaseProcess, pb: PocketBaseClient
) -> None:
    """More calls are cancelled than there are connections; the next one is served."""
    await pb.token()
    server.pause()
    try:
        calls = [asyncio.create_task(pb.collection("posts").list()) for _ in range(150)]
        await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError) for each in ended)
    finally:
        server.resume()
    assert (await pb.collection("posts").list(per_page=1)).page == 1


async def test_pocketbase_may_restart_between_calls(
    server: PocketBaseProcess, pb: PocketBaseClient
) -> None:
    """Connections that were closed meanwhile are opened again, also for a write."""
    posts = pb.collection("posts")
    await posts.list()
    await asyncio.to_thread(server.restart)
    assert (await posts.create({"title": "after"}))["title"] == "after"


async def test_no_header_can_be_smuggled_in() -> None:
    """A token with a line break is invalid."""
    async with PocketBaseClient("http://127.0.0.1:1") as client:
        for token in ("", "a.b", "a.b.c\r\nX: y", "ä.b.c", "a.b.c"):
            with pytest.raises(PocketBaseError, match="not a PocketBase token"):
                client.with_token(token)
