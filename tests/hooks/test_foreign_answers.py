"""A foreign answer, such as a proxy's page, is an outage: nothing counts as done."""

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.errors import HooksMismatch, PocketBaseUnavailable
from gateway.pocketbase import CommitBatch, EventRow, PocketBase, commit
from gateway.pocketbase.contracts.work import (
    DO_PART,
    EXCHANGE,
    ExchangeRequest,
    PartRequest,
    Settle,
)
from gateway.pocketbase.hook_call import call_hook
from gateway.settings import Settings

_CLAIMS = urlsafe_b64encode(b'{"exp": 4000000000}').decode()
_LOGIN = json.dumps({"token": f"a.{_CLAIMS}.b"})


@asynccontextmanager
async def _open(body: str, status: str = "200 OK") -> AsyncIterator[PocketBase]:
    """A client of a server that signs superusers in, and answers all else the same."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        is_login = b"auth-with-password" in head.split(b"\r\n")[0]
        text = (_LOGIN if is_login else body).encode()
        line = "200 OK" if is_login else status
        headers = f"Content-Length: {len(text)}\r\nConnection: close\r\nLocation: /login\r\n"
        writer.write(f"HTTP/1.1 {line}\r\n{headers}\r\n".encode() + text)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        settings = Settings(
            pocketbase_url=f"http://127.0.0.1:{port}",
            pocketbase_superuser_email="root@shop.test",
            pocketbase_superuser_password="a-password",
            stripe_secret_key="sk_test_none",
            stripe_webhook_secrets="whsec_none",
            gateway_frontend_origins="http://localhost:3000",
        )
        async with PocketBase(settings) as client:
            yield client


@pytest.mark.parametrize("status", ["200 OK", "302 Found"])
@pytest.mark.parametrize("body", ["<html>Please sign in</html>", "{", "not JSON"])
async def test_a_page_is_no_answer(body: str, status: str) -> None:
    """Also where the route has nothing to answer: the task is not taken for done."""
    async with _open(body, status) as pocketbase:
        settle = Settle(id="a", claim="b", status="done")
        asked = ExchangeRequest(token="c", handlers=(), limit=0, lease_seconds=60, settle=(settle,))
        with pytest.raises(PocketBaseUnavailable, match="proxy"):
            await call_hook(pocketbase, EXCHANGE, asked)
        with pytest.raises(PocketBaseUnavailable, match="proxy"):
            await call_hook(pocketbase, DO_PART, PartRequest(id="a"))
        with pytest.raises(PocketBaseUnavailable, match="proxy"):
            await commit(pocketbase, CommitBatch([_EVENT]))


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        {"outcomes": [], "conflicts": []},
        {"outcomes": ["applied", "applied"], "conflicts": []},
        {"outcomes": ["applied"], "conflicts": [None]},
        {"outcomes": ["written"], "conflicts": []},
        {"outcomes": [None], "conflicts": []},
        {"outcomes": ["applied"]},
    ],
)
async def test_a_commit_with_another_answer_acknowledges_nothing(answer: object) -> None:
    """Outcomes of another number, or of an unknown name: Stripe delivers again."""
    async with _open(json.dumps(answer)) as pocketbase:
        with pytest.raises(HooksMismatch):
            await commit(pocketbase, CommitBatch([_EVENT]))


async def test_hooks_without_the_commit_route_lose_nothing() -> None:
    """PocketBase without the hooks answers 404: that is no fault of the events."""
    missing = {"status": 404, "message": "The requested resource wasn't found.", "data": {}}
    async with _open(json.dumps(missing), "404 Not Found") as pocketbase:
        with pytest.raises(HooksMismatch):
            await commit(pocketbase, CommitBatch([_EVENT]))


_EVENT = EventRow(
    "evt_1",
    {
        "id": "a" * 15,
        "type": "customer.updated",
        "object_id": "cus_1",
        "account": "",
        "api_version": "",
        "livemode": False,
        "created": "2026-11-27 10:00:00.000Z",
        "received": "2026-11-27 10:00:00.000Z",
    },
    "{}",
)
