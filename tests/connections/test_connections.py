"""Our HTTP connections, against servers that answer as neither PocketBase nor Stripe should."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from gateway.connections import Connections

_Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_COMMON = {"User-Agent": "a test"}
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@asynccontextmanager
async def _serve(handle: _Handler, seconds: float = 5) -> AsyncIterator[Connections]:
    """Connections to a server that treats each of them by a function."""

    async def handle_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle_and_close, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connections = Connections(f"http://127.0.0.1:{port}/base", _COMMON, seconds)
    try:
        yield connections
    finally:
        connections.close()
        server.close()


async def _read_request(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line for line in head.split(b"\r\n") if line.startswith(b"Content-Length: ")]
    return head, await reader.readexactly(int(lengths[0].split()[1]) if lengths else 0)


async def test_a_request_arrives_as_it_was_meant() -> None:
    """Method, path below the base, headers and body arrive; so does the answer."""
    seen = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await _read_request(reader))
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nbad")

    async with _serve(handle) as connections:
        answer = await connections.request("POST", "/a?b=1", {"Authorization": "tökén"}, b"body")

    [(head, body)] = seen
    assert head.startswith(b"POST /base/a?b=1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert "Authorization: tökén\r\n".encode() in head
    assert b"User-Agent: a test\r\n" in head
    assert body == b"body"
    assert (answer.status, answer.body) == (400, b"bad")


async def test_a_connection_is_kept_and_used_again() -> None:
    """Two requests, one after the other, share a connection; two at once do not."""
    opened = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        while True:
            await _read_request(reader)
            writer.write(_OK)

    async with _serve(handle) as connections:
        for _ in range(3):
            await connections.request("GET", "/", {}, None)
        assert opened == 1
        await asyncio.gather(*(connections.request("POST", "/", {}, b"") for _ in range(2)))
        assert opened == 2


async def test_an_answer_in_chunks_is_put_together() -> None:
    """A chunked answer that arrives byte by byte comes out whole."""
    answer = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _read_request(reader)
        for place in range(len(answer)):
            writer.write(answer[place : place + 1])
            await writer.drain()

    async with _serve(handle) as connections:
        assert (await connections.request("GET", "/", {}, None)).body == b"abcde"


@pytest.mark.parametrize("closing", [b"Connection: close\r\n", b""])
async def test_a_connection_that_was_closed_is_not_used_again(closing: bytes) -> None:
    """Whether the server says so or just closes: the next request opens another connection."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _read_request(reader)
        writer.write(_OK.replace(b"\r\n\r\n", b"\r\n" + closing + b"\r\n"))

    async with _serve(handle) as connections:
        for _ in range(3):
            assert (await connections.request("GET", "/", {}, None)).status == 200


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nabc",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
    ],
)
async def test_an_answer_that_is_none_is_an_error(
    answer: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing, half an answer, another protocol, or contradictions: an OSError, and no hanging."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _read_request(reader)
        writer.write(answer)

    async with _serve(handle) as connections:
        with pytest.raises(ConnectionError):
            await connections.request("POST", "/", {}, b"")
    assert caplog.messages == []


async def test_an_answer_too_many_is_never_taken_for_the_next_one() -> None:
    """A connection on which more came than was asked for is closed, however much of it came."""
    opened = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        await _read_request(reader)
        writer.write(_OK.replace(b"{}", b"%d " % opened) + _OK[:20])
        await _read_request(reader)
        writer.write(_OK[20:])

    async with _serve(handle) as connections:
        for number in (b"1 ", b"2 "):
            assert (await connections.request("POST", "/", {}, b"")).body == number


async def test_a_late_answer_is_never_taken_for_the_next_one() -> None:
    """After a time-out the connection is closed, and the next request gets its own answer."""
    late = asyncio.Event()
    opened = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        await _read_request(reader)
        if opened == 1:
            await late.wait()
        writer.write(_OK.replace(b"{}", b"%d " % opened))

    async with _serve(handle, seconds=0.2) as connections:
        with pytest.raises(TimeoutError):
            await connections.request("POST", "/", {}, b"")
        late.set()
        assert (await connections.request("POST", "/", {}, b"")).body == b"2 "


async def test_only_what_reads_is_sent_again() -> None:
    """When a kept connection breaks, a GET is sent once more; a POST is not: it may have acted."""
    requests = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await _read_request(reader))
        writer.write(_OK)
        # The second on each connection is read, and never answered.
        requests.append(await _read_request(reader))

    async with _serve(handle) as connections:
        await connections.request("POST", "/", {}, b"")
        with pytest.raises(ConnectionError):
            await connections.request("POST", "/", {}, b"")
        assert len(requests) == 2
        await connections.request("GET", "/", {}, None)
        await connections.request("GET", "/", {}, None)
        assert len(requests) == 5


async def test_nobody_listens() -> None:
    """A refused connection is an OSError at once."""
    async with _serve(lambda *_: asyncio.sleep(0)) as connections:
        pass
    with pytest.raises(OSError, match=r"Connect|refused"):
        await connections.request("GET", "/", {}, None)


@pytest.mark.parametrize(
    ("path", "token"),
    [("/a b", "t"), ("/a\r\nX: y", "t"), ("/", "t\r\nX: y"), ("/", "t\ny"), ("/", "t\0")],
)
async def test_no_value_can_end_its_line(path: str, token: str) -> None:
    """A path or token with a line break is refused before anything is sent."""
    connections = Connections("http://127.0.0.1:9", _COMMON, 1)
    with pytest.raises(ValueError, match="character"):
        await connections.request("GET", path, {"Authorization": token}, None)


async def test_what_acts_once_is_sent_again() -> None:
    """When a kept connection breaks, a POST that is repeatable goes out again on another, once."""
    requests = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await _read_request(reader))
        if len(requests) < 4:
            writer.write(_OK)
            requests.append(await _read_request(reader))

    async with _serve(handle) as connections:
        for _ in range(2):
            await connections.request("POST", "/", {}, b"", is_repeatable=True)
        assert len(requests) == 3
        with pytest.raises(ConnectionError):
            await connections.request("POST", "/", {}, b"", is_repeatable=True)
        assert len(requests) == 5


async def test_an_interim_answer_is_none() -> None:
    """What a server says before its answer is left out, its headers too."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _read_request(reader)
        writer.write(hints + _OK)

    async with _serve(handle) as connections:
        answer = await connections.request("GET", "/", {}, None)
    assert (answer.status, answer.body) == (200, b"{}")
    assert answer.headers == [(b"content-length", b"2")]
