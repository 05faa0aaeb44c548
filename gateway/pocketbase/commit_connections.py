"""The connections for the commits of deliveries, over aiohttp.

The one place that uses aiohttp: with httpx2, deliveries miss the targets of bench.webhooks
(docs/decisions/030-http-clients.md has the measurement).
"""

import ssl
from collections.abc import Mapping

import aiohttp

from gateway.http_client import CONNECT_SECONDS, KEEP_ALIVE_SECONDS, MAX_CONNECTIONS
from gateway.pocketbase.connections import Answer, check_path, encode_headers


class CommitConnections:
    """As `Connections`."""

    def __init__(
        self,
        origin: str,
        headers: Mapping[str, str],
        timeout: float,
        certificates: ssl.SSLContext | None = None,
    ) -> None:
        """See `Connections`."""
        self._origin = origin.rstrip("/")
        self._headers = dict(headers)
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=CONNECT_SECONDS)
        self._certificates = certificates or ssl.create_default_context()
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        """See `Connections.request`; aiohttp sends a GET again, too."""
        check_path(path)
        encode_headers(headers)
        try:
            async with self._open().request(
                method,
                self._origin + path,
                headers=headers,
                data=body,
                allow_redirects=False,
            ) as answer:
                return Answer(answer.status, await answer.read())
        except aiohttp.ClientError as error:
            if isinstance(error, OSError):
                raise
            raise ConnectionResetError(str(error)) from error

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        """A session belongs to a running loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=MAX_CONNECTIONS,
                    keepalive_timeout=KEEP_ALIVE_SECONDS,
                    ssl=self._certificates,
                ),
                headers=self._headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("Accept", "Accept-Encoding"),
                timeout=self._timeout,
                trust_env=False,
            )
        return self._session
