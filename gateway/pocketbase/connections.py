"""Connections to PocketBase: one pool of them, over httpx2."""

import asyncio
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2

from gateway.http_client import open_client

#: A kept connection that PocketBase closed, which httpx2 notices only when it is used.
_BROKEN = (httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError)
#: ``.`` and ``..`` would be resolved on the way, to an address that the caller does not name.
_DOTS = re.compile(r"/(\.|%2e){1,2}(?=/|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """PocketBase's answer to a request."""

    status: int
    body: bytes


class Connections:
    """A pool of kept connections to one origin, never through a proxy."""

    def __init__(
        self,
        origin: str,
        headers: Mapping[str, str],
        timeout: float,
        certificates: ssl.SSLContext | None = None,
    ) -> None:
        """Take the origin, and the headers of every request that has none of that name.

        Args:
            origin: ``http://host:port``, with the prefix of all paths if there is one.
            timeout: seconds that an answer may take.
        """
        self._origin = origin.rstrip("/")
        self._timeout = timeout
        self._client = open_client(headers=headers, certificates=certificates)

    async def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        """Send one request; a GET is sent again if the connection breaks, nothing else is.

        Raises:
            OSError: no connection, it broke, or (TimeoutError) no answer came in time.
            ValueError: the path is not absolute, or has ``.`` or ``..`` in it; or it or a header
                has a character that ends its line.
        """
        check_path(path)
        request = self._client.build_request(
            method,
            self._origin + path,
            headers=encode_headers(headers),
            content=body,
        )
        async with asyncio.timeout(self._timeout):
            try:
                answer = await self._send(request)
            except _BROKEN as error:
                raise ConnectionResetError(str(error)) from error
            except httpx2.ConnectTimeout as error:
                raise TimeoutError("PocketBase did not accept the connection in time") from error
            except httpx2.ConnectError as error:
                raise find_os_error(error) from error
        return Answer(answer.status_code, answer.content)

    async def _send(self, request: httpx2.Request) -> httpx2.Response:
        try:
            return await self._client.send(request)
        except _BROKEN:
            if request.method != "GET":
                raise
        return await self._client.send(request)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def check_path(path: str) -> None:
    """Refuse a path that could lead elsewhere than it reads.

    Raises:
        ValueError
    """
    if not path.startswith("/") or _DOTS.search(path.partition("?")[0]):
        raise ValueError("a path has to be absolute and can't contain . or ..")
    if any(character in path for character in " \r\n\0"):
        raise ValueError("a path has a character that it can't have")


def encode_headers(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    """Return headers in UTF-8; of names that differ only in case, the last.

    Raises:
        ValueError: a value could end its line.
    """
    if any(character in value for value in headers.values() for character in "\r\n\0"):
        raise ValueError("a header has a character that it can't have")
    last = {name.lower(): (name, value) for name, value in headers.items()}
    return {name.encode(): value.encode() for name, value in last.values()}


def find_os_error(error: httpx2.ConnectError) -> OSError:
    """Return the network error behind httpx's, such as a refused connection or a certificate."""
    cause: BaseException | None = error
    while cause and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    while cause and isinstance(cause.__cause__, OSError | BaseExceptionGroup):
        cause = cause.__cause__
        # A batch has one per address of the host.
        cause = cause.exceptions[0] if isinstance(cause, BaseExceptionGroup) else cause
    return cause if isinstance(cause, OSError) else ConnectionError(str(error))
