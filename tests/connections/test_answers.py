"""PocketBase's client against answers that PocketBase does not give."""

import asyncio
import json
import time
from base64 import urlsafe_b64encode

import pytest

from gateway.errors import PocketBaseUnavailable
from gateway.pocketbase import PocketBase
from gateway.settings import PocketBaseSettings
from tests.connections.server import read_request, serve

_CLAIMS = urlsafe_b64encode(json.dumps({"exp": time.time() + 3600}).encode()).decode()
_LOGIN = json.dumps({"token": f"a.{_CLAIMS}.b"}).encode()
_LOGGED_IN = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(_LOGIN), _LOGIN)
_ANSWERS = {
    "an upgrade": (
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
    ),
    "no end": b"HTTP/1.1 200 OK\r\n\r\n" + b'{"outcomes": ["applied"',
    "a page": b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
    "a redirect": b"HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 2\r\n\r\n{}",
    "half": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
    "nothing": b"",
}


def _settings(origin: str) -> PocketBaseSettings:
    return PocketBaseSettings(
        pocketbase_url=origin,
        pocketbase_superuser_email="a@example.com",
        pocketbase_superuser_password="secret",  # type: ignore[arg-type]
        gateway_upstream_timeout=5,
    )


@pytest.mark.parametrize("is_commit", [False, True])
@pytest.mark.parametrize("name", _ANSWERS)
async def test_such_an_answer_is_a_pocketbase_that_is_not_there(name: str, is_commit: bool) -> None:
    """An answer that is not PocketBase's never passes for success, nor for a refusal."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head, _ = await read_request(reader)
            if b"auth-with-password" not in head:
                break
            writer.write(_LOGGED_IN)
        writer.write(_ANSWERS[name])

    async with serve(handle) as origin, PocketBase(_settings(origin)) as pocketbase:
        with pytest.raises(PocketBaseUnavailable):
            await pocketbase.call("POST", "/api/x", b"{}", is_commit=is_commit)


@pytest.mark.parametrize("is_commit", [False, True])
async def test_a_failure_keeps_status_and_reason(is_commit: bool) -> None:
    """A 5xx keeps PocketBase's words; a proxy's page without words keeps the status's name."""
    body = b'{"message": "disk I/O error"}'
    answers = [
        b"HTTP/1.1 500 Error\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body),
        b"HTTP/1.1 502 Bad\r\nContent-Length: 6\r\n\r\n<html>",
    ]

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head, _ = await read_request(reader)
            writer.write(_LOGGED_IN if b"auth-with-password" in head else answers.pop(0))

    async with serve(handle) as origin, PocketBase(_settings(origin)) as pocketbase:
        for expected in ("answered 500: disk I/O error", "answered 502: Bad Gateway"):
            with pytest.raises(PocketBaseUnavailable, match=expected):
                await pocketbase.call("POST", "/api/x", b"{}", is_commit=is_commit)
