"""Connections to PocketBase, over httpx and aiohttp, against servers with unexpected answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.pocketbase.commit_connections import CommitConnections
from gateway.pocketbase.connections import Connections
from tests.connections.server import OK, Handler, read_request, serve

_COMMON = {"User-Agent": "a test"}

Kind = type[Connections] | type[CommitConnections]


@pytest.fixture(params=[Connections, CommitConnections])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each of the two clients."""
    found: Kind = request.param
    return found


@asynccontextmanager
async def _open(
    kind: Kind, handle: Handler, seconds: float = 5
) -> AsyncIterator[Connections | CommitConnections]:
    """Connections to a server that treats each of them by a function."""
    async with serve(handle) as origin:
        connections = kind(f"{origin}/base", _COMMON, seconds)
        try:
            yield connections
        finally:
            await connections.close()


async def test_a_request_arrives_as_it_was_meant(kind: Kind) -> None:
    """Method, path below the base, headers and body arrive; so does the answer."""
    seen = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nbad")

    async with _open(kind, handle) as connections:
        answer = await connections.request("POST", "/a?b=1", {"Authorization": "tökén"}, b"body")

    [(head, body)] = seen
    assert head.startswith(b"POST /base/a?b=1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert "Authorization: tökén\r\n".encode() in head
    assert b"User-Agent: a test\r\n" in head
    assert body == b"body"
    assert (answer.status, answer.body) == (400, b"bad")


async def test_an_escaped_path_is_sent_unchanged() -> None:
    """Escapes in a path and query are neither decoded nor escaped again."""
    seen = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        writer.write(OK)

    async with _open(Connections, handle) as connections:
        await connections.request("GET", "/a%2Fb/%C3%BC?filter=x%3D%27a%2Bb%27&n=1", {}, None)
    [(head, _)] = seen
    assert head.startswith(b"GET /base/a%2Fb/%C3%BC?filter=x%3D%27a%2Bb%27&n=1 HTTP/1.1\r\n")


async def test_a_connection_is_kept_and_used_again(kind: Kind) -> None:
    """Two requests, one after the other, share a connection; two at once do not."""
    opened = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        while True:
            await read_request(reader)
            writer.write(OK)

    async with _open(kind, handle) as connections:
        for _ in range(3):
            await connections.request("GET", "/", {}, None)
        assert opened == 1
        await asyncio.gather(*(connections.request("POST", "/", {}, b"") for _ in range(2)))
        assert opened == 2


async def test_an_answer_in_chunks_is_put_together(kind: Kind) -> None:
    """A chunked answer that arrives byte by byte comes out whole."""
    answer = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        for place in range(len(answer)):
            writer.write(answer[place : place + 1])
            await writer.drain()

    async with _open(kind, handle) as connections:
        assert (await connections.request("GET", "/", {}, None)).body == b"abcde"


@pytest.mark.parametrize("closing", [b"Connection: close\r\n", b""])
async def test_a_connection_that_was_closed_is_not_used_again(kind: Kind, closing: bytes) -> None:
    """Whether the server says so or just closes: the next request opens another, and acts once."""
    requests = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await read_request(reader))
        writer.write(OK.replace(b"\r\n\r\n", b"\r\n" + closing + b"\r\n"))
        writer.close()
        await writer.wait_closed()
        closed.set()

    async with _open(kind, handle) as connections:
        for _ in range(3):
            closed = asyncio.Event()
            assert (await connections.request("POST", "/", {}, b"")).status == 200
            await closed.wait()
            # The end of the connection is in this process by now, and is read in the next round.
            await asyncio.sleep(0)
    assert len(requests) == 3


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nshort",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nabc",
    ],
)
async def test_an_answer_that_is_none_is_an_error(
    kind: Kind, answer: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing, half an answer, another protocol, or contradictions: an OSError, and no hanging."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)

    async with _open(kind, handle) as connections:
        with pytest.raises(ConnectionError):
            await connections.request("POST", "/", {}, b"")
    assert caplog.messages == []


async def test_an_answer_too_many_is_never_taken_for_the_next_one() -> None:
    """A connection on which more came than was asked for is closed."""
    opened = 0
    more, sent = asyncio.Event(), asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        await read_request(reader)
        writer.write(OK.replace(b"{}", b"%d " % opened))
        if opened == 1:
            await more.wait()
            writer.write(OK)
            await writer.drain()
            sent.set()
        await read_request(reader)

    async with _open(Connections, handle) as connections:
        assert (await connections.request("POST", "/", {}, b"")).body == b"1 "
        more.set()
        await sent.wait()
        assert (await connections.request("POST", "/", {}, b"")).body == b"2 "


async def test_a_late_answer_is_never_taken_for_the_next_one(kind: Kind) -> None:
    """After a time-out the connection is closed, and the next request gets its own answer."""
    late = asyncio.Event()
    opened = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        await read_request(reader)
        if opened == 1:
            await late.wait()
        writer.write(OK.replace(b"{}", b"%d " % opened))

    async with _open(kind, handle, seconds=0.2) as connections:
        with pytest.raises(TimeoutError):
            await connections.request("POST", "/", {}, b"")
        late.set()
        assert (await connections.request("POST", "/", {}, b"")).body == b"2 "


async def test_the_time_limit_is_that_of_the_whole_answer(kind: Kind) -> None:
    """An answer that keeps coming, byte by byte, ends in time as one that does not come."""
    done = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK.replace(b"Length: 2", b"Length: 99999"))
        while not done.is_set():
            writer.write(b" ")
            await asyncio.sleep(0.02)

    async with _open(kind, handle, seconds=0.2) as connections:
        with pytest.raises(TimeoutError):
            await connections.request("GET", "/", {}, None)
        done.set()


async def test_only_what_reads_is_sent_again(kind: Kind) -> None:
    """When a kept connection breaks, a GET is sent once more; a POST is not: it may have acted."""
    requests = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await read_request(reader))
        writer.write(OK)
        # The second on each connection is read, and never answered.
        requests.append(await read_request(reader))

    async with _open(kind, handle) as connections:
        await connections.request("POST", "/", {}, b"")
        with pytest.raises(ConnectionError):
            await connections.request("POST", "/", {}, b"")
        assert len(requests) == 2
        await connections.request("GET", "/", {}, None)
        await connections.request("GET", "/", {}, None)
        assert len(requests) == 5


async def test_nobody_listens(kind: Kind) -> None:
    """A refused connection is an OSError at once."""
    async with serve(lambda *_: asyncio.sleep(0)) as origin:
        pass
    connections = kind(origin, _COMMON, 5)
    with pytest.raises(OSError, match=r"Connect|refused"):
        await connections.request("GET", "/", {}, None)
    await connections.close()


@pytest.mark.parametrize(
    ("path", "token"),
    [
        ("/a b", "t"),
        ("/a\r\nX: y", "t"),
        ("/", "t\r\nX: y"),
        ("/", "t\ny"),
        ("/", "t\0"),
        ("http://127.0.0.1/", "t"),
        ("", "t"),
        ("/a/../b", "t"),
        ("/a/..", "t"),
        ("/a/./b?c=d", "t"),
        ("/a/%2e%2E/b", "t"),
    ],
)
async def test_no_value_can_end_its_line_or_lead_elsewhere(
    kind: Kind, path: str, token: str
) -> None:
    """Line breaks, other hosts and ``..`` are refused before anything is sent."""
    connections = kind("http://127.0.0.1:9", _COMMON, 1)
    with pytest.raises(ValueError, match=r"a (path|header) ha"):
        await connections.request("GET", path, {"Authorization": token}, None)
    await connections.close()


async def test_a_query_may_contain_dots(kind: Kind) -> None:
    """Only segments of the path are resolved on the way, not a query."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, _ = await read_request(reader)
        writer.write(OK if b"GET /base/a..b/...?c=/../d HTTP" in head else b"")

    async with _open(kind, handle) as connections:
        assert (await connections.request("GET", "/a..b/...?c=/../d", {}, None)).body == b"{}"


async def test_an_interim_answer_is_none(kind: Kind) -> None:
    """Interim responses are skipped."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(hints + OK)

    async with _open(kind, handle) as connections:
        answer = await connections.request("GET", "/", {}, None)
    assert (answer.status, answer.body) == (200, b"{}")


async def test_no_cookie_is_kept(kind: Kind) -> None:
    """A cookie of one answer is not sent with the next request, which may be another user's."""
    heads = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            heads.append((await read_request(reader))[0])
            writer.write(OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: user=1; Path=/\r\n\r\n"))

    async with _open(kind, handle) as connections:
        for _ in range(2):
            await connections.request("GET", "/", {}, None)
    assert len(heads) == 2
    assert not any(b"cookie" in head.lower() for head in heads)


async def test_a_redirect_is_not_followed(kind: Kind) -> None:
    """The token of a request must not reach another address."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"
        writer.write(moved)

    async with _open(kind, handle) as connections:
        assert (await connections.request("GET", "/", {}, None)).status == 302


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_pocketbase_is_never_reached_through_a_proxy(
    kind: Kind, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy variables of the environment are for Stripe; PocketBase is nearby."""
    monkeypatch.setenv(variable, "http://127.0.0.1:9")

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK)

    async with _open(kind, handle) as connections:
        assert (await connections.request("POST", "/", {}, b"")).status == 200
