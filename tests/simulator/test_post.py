"""The deliveries' own HTTP client against every kind of answer a receiver may give."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from stripe_simulator.deliveries.post import Poster

ANSWERS = {
    "with a length": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, 1),
    "in chunks": (
        b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        500,
        1,
    ),
    "without a body": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, 1),
    "after an interim one": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        200,
        1,
    ),
    "that closes": (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        200,
        2,
    ),
}


class Peer:
    """A server that answers every request with the same bytes."""

    def __init__(self, answer: bytes, closes: bool = False) -> None:
        self.answer = answer
        self.closes = closes
        self.connections = 0
        self.requests: list[bytes] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests of five bytes until the other side goes."""
        self.connections += 1
        try:
            while not reader.at_eof():
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests.append(head + await reader.readexactly(5))
                writer.write(self.answer)
                await writer.drain()
                if self.closes:
                    break
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(peer: Peer) -> AsyncIterator[Poster]:
    """Serve a peer; gives a client."""
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    peer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?a=1"
    poster = Poster(ssl.create_default_context())
    try:
        async with server:
            yield poster
            poster.close()
    finally:
        poster.close()


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_is_understood(name: str) -> None:
    """Its status is read, and the connection is used again unless it was closed."""
    answer, status, connections = ANSWERS[name]
    peer = Peer(answer, closes="close" in name)
    async with serving(peer) as poster:
        for _ in range(2):
            assert await poster.post(peer.url, b"hello", {"X-One": "1"}, 5) == status
    assert peer.connections == connections
    first = peer.requests[0].decode()
    assert first.startswith("POST /hook?a=1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert "X-One: 1\r\n" in first
    assert first.endswith("Content-Length: 5\r\n\r\nhello")


async def test_a_connection_that_was_closed_meanwhile_is_opened_anew() -> None:
    """A kept connection that the receiver closed costs no delivery."""
    peer = Peer(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", closes=True)
    async with serving(peer) as poster:
        assert await poster.post(peer.url, b"hello", {}, 5) == 200
        assert await poster.post(peer.url, b"hello", {}, 5) == 200
    assert peer.connections == 2


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"nonsense\r\n\r\n"])
async def test_half_an_answer_is_none(answer: bytes) -> None:
    """An incomplete answer is an OSError, so that the delivery is retried."""
    peer = Peer(answer, closes=True)
    async with serving(peer) as poster:
        with pytest.raises(OSError, match=r"answer|closed"):
            await poster.post(peer.url, b"hello", {}, 5)


async def test_a_silent_receiver_is_given_up() -> None:
    """After the time-out there is no answer."""
    peer = Peer(b"")
    async with serving(peer) as poster:
        with pytest.raises(TimeoutError):
            await poster.post(peer.url, b"hello", {}, 0.05)


async def test_nobody_listening_is_an_error(unused_tcp_port: int) -> None:
    """A refused connection is an OSError."""
    poster = Poster(ssl.create_default_context())
    with pytest.raises(OSError, match=r"refused|Connect"):
        await poster.post(f"http://127.0.0.1:{unused_tcp_port}/", b"hello", {}, 5)
