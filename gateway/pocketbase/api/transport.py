"""HTTP to one PocketBase: a connection pool, time-outs, safe retries, and errors as exceptions."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from asgi_correlation_id import correlation_id

from gateway.http_client import (
    CONNECT_SECONDS,
    MAX_CONNECTIONS,
    open_client,
    trust_certificates,
)
from gateway.json_codec import load
from gateway.metrics import measure_call
from gateway.pocketbase.api.bodies import FileUpload, dump, open_parts
from gateway.pocketbase.api.errors import (
    InvalidAnswer,
    RateLimited,
    Unavailable,
    read_error,
)
from gateway.pocketbase.api.paths import Query, write_query
from gateway.version import __version__

#: One constant name: PocketBase mails an alert when a superuser logs in with a new User-Agent.
USER_AGENT = f"pocketbase-gateway/{__version__.split('.')[0]}"
#: Seconds before the first further attempt; each later one waits twice as long.
_BACKOFF_SECONDS = 0.1
#: The same after a 429 without a Retry-After header.
_RATE_BACKOFF_SECONDS = 0.5
#: The request was not sent, so any method is safe to send again.
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout)


@dataclass(frozen=True, slots=True)
class Request:
    """A request without its token."""

    method: str
    #: Quoted, starts with ``/``.
    path: str
    query: Query = field(default_factory=dict)
    #: JSON; None for no body.
    body: Any = None
    #: Makes the body multipart, by form field.
    files: tuple[tuple[str, FileUpload], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Seconds for the call with its retries; None for the client's.
    timeout: float | None = None

    @property
    def is_repeatable(self) -> bool:
        """Whether its files can be read again."""
        return all(
            isinstance(file.content, bytes | Path) or file.content.seekable()
            for _, file in self.files
        )

    @property
    def is_read(self) -> bool:
        """Whether it changes nothing."""
        return self.method in ("GET", "HEAD")


class Transport:
    """Sends requests to one origin; may be shared by clients with different tokens."""

    def __init__(
        self,
        url: str,
        *,
        timeout: float,
        retries: int,
        certificates: str | None = None,
    ) -> None:
        """Take where requests go.

        Args:
            url: ``http(s)://host:port``, and a path before ``/api`` if there is one.
            timeout: seconds for a call with its retries.
            retries: further attempts after a connection that failed, and after a 429.
            certificates: a file of authorities to trust besides the system's.

        Raises:
            ValueError: the URL is not an http(s) address.
        """
        self.url = _check_url(url)
        self.timeout = timeout
        self._retries = retries
        self._http = _open_http(timeout, certificates)
        #: Downloads and subscriptions stay open for long: they must take no connection from calls.
        self._streams = _open_http(timeout, certificates, limit=None)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
        await self._streams.aclose()

    async def send(self, request: Request, token: str) -> Any:
        """Send a request; return the decoded JSON, None without a body.

        A connection that can't be opened and a 429 are tried again; a connection that breaks only
        for GET, because another request may have been served.

        Raises:
            PocketBaseError: the subclass is the kind: see `gateway.pocketbase.api.errors`.
        """
        seconds = request.timeout or self.timeout
        try:
            async with asyncio.timeout(seconds):
                return await self._send_with_retries(request, token)
        except (TimeoutError, httpx2.TimeoutException) as error:
            raise Unavailable(f"PocketBase did not answer within {seconds:g} s.") from error
        except httpx2.HTTPError as error:
            raise Unavailable(f"No connection to PocketBase: {type(error).__name__}") from error

    async def _send_with_retries(self, request: Request, token: str) -> Any:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (request.timeout or self.timeout)
        for attempt in range(self._retries + 1):
            try:
                return await self._send_once(request, token)
            except (RateLimited, httpx2.TransportError) as error:
                wait = _choose_wait(request, error, attempt)
                is_last = attempt == self._retries or not request.is_repeatable
                if wait is None or is_last or loop.time() + wait >= deadline:
                    raise
            await asyncio.sleep(wait)
        raise AssertionError("every attempt returns or raises")

    async def _send(self, request: httpx2.Request) -> httpx2.Response:
        with measure_call("PocketBase", request.method, request.url.path) as call:
            answer = await self._http.send(request)
            call.status = answer.status_code
            return answer

    async def _send_once(self, request: Request, token: str) -> Any:
        if not request.files:
            content = None if request.body is None else dump(request.body)
            return _read(await self._send(self._build(request, token, content=content)))
        with open_parts(request.body or {}, request.files) as parts:
            return _read(await self._send(self._build(request, token, files=parts)))

    @asynccontextmanager
    async def stream(
        self, request: Request, token: str, *, max_silence: float | None = None
    ) -> AsyncIterator[httpx2.Response]:
        """Send a GET and give the response while its body arrives.

        Args:
            max_silence: seconds without data after which it ends, by default the client's
                time-out.

        Raises:
            PocketBaseError: as for `send`, also while the body is read.
        """
        built = self._build(request, token)
        silence = max_silence or self.timeout
        seconds = httpx2.Timeout(self.timeout, connect=CONNECT_SECONDS, read=silence)
        built.extensions["timeout"] = seconds.as_dict()
        try:
            response = await self._streams.send(built, stream=True)
            try:
                if not response.is_success:
                    await response.aread()
                    _read(response)
                yield response
            finally:
                await response.aclose()
        except httpx2.TimeoutException as error:
            raise Unavailable("PocketBase sent no data in time.") from error
        except httpx2.HTTPError as error:
            raise Unavailable(f"The connection broke: {type(error).__name__}") from error

    def _build(self, request: Request, token: str, **body: Any) -> httpx2.Request:
        headers = {"Accept": "application/json", **request.headers}
        # A hook that calls a transform passes it on, so that both log the id of one request.
        if request_id := correlation_id.get():
            headers.setdefault("X-Request-Id", request_id)
        if token:
            headers["Authorization"] = token
        if body.get("content") is not None:
            headers["Content-Type"] = "application/json"
        return self._http.build_request(
            request.method,
            f"{self.url}{request.path}",
            params=write_query(request.query) or None,
            headers=headers,
            timeout=_limit(request.timeout or self.timeout),
            **body,
        )


def _open_http(
    timeout: float, certificates: str | None, *, limit: int | None = MAX_CONNECTIONS
) -> httpx2.AsyncClient:
    return open_client(
        headers={"User-Agent": USER_AGENT},
        timeout=_limit(timeout),
        max_connections=limit,
        certificates=trust_certificates(certificates),
    )


def _limit(seconds: float) -> httpx2.Timeout:
    return httpx2.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))


def _check_url(url: str) -> str:
    parts = httpx2.URL(url)
    if parts.scheme not in ("http", "https") or not parts.host:
        raise ValueError(f"{url!r} is not the address of a PocketBase, like http://127.0.0.1:8090")
    return url.rstrip("/")


def _choose_wait(
    request: Request, error: RateLimited | httpx2.TransportError, attempt: int
) -> float | None:
    """Return the seconds before the next attempt, None if the request must not be sent again."""
    factor: float = 2**attempt * random.uniform(0.75, 1.25)  # noqa: S311
    if isinstance(error, RateLimited):  # Refused before anything was done.
        return error.retry_after if error.is_announced else _RATE_BACKOFF_SECONDS * factor
    was_served = not isinstance(error, _NOT_SENT)
    if was_served and (not request.is_read or isinstance(error, httpx2.TimeoutException)):
        return None
    return _BACKOFF_SECONDS * factor


def _read(response: httpx2.Response) -> Any:
    """Return the decoded body.

    Raises:
        PocketBaseError: the response is an error, or not PocketBase's.
    """
    body, is_json = _decode(response.content)
    if response.is_success:
        if not is_json:
            raise InvalidAnswer("The answer is not JSON: does the address lead to PocketBase?")
        return body
    if response.status_code < 400:
        raise InvalidAnswer("The address redirects: use the one that it leads to.")
    raise read_error(response.status_code, body, response.headers.get("retry-after", ""))


def _decode(raw: bytes) -> tuple[Any, bool]:
    if not raw:
        return None, True
    try:
        return load(raw), True
    except ValueError:
        return None, False
