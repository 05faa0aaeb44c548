"""Limits of memory, work and output for hostile bodies and their responses."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from gateway.dev.stack import Stack
from tests.deadline import eventually
from tests.delivery import Sender, build_event
from tests.frontend import Frontend, User
from tests.http_client import open_client
from tests.problem import read_problem
from tests.shop import ORIGIN, Shop
from tests.superuser import create_collections, open_superuser_client

_PATHS = ("/checkout", "/checkout/setup", "/portal", "/usage", "/subscriptions/sub_1/change")
_ADMIN_PATHS = ("/admin/events/prune", "/admin/events/replay", "/admin/reconcile")
_KEYS = {f"unknown_{i}": 1 for i in range(1200)}
_MEGABYTES = 60


def _unknown_keys(number: int) -> bytes:
    return b"{%b}" % b",".join(b'"k%d":0' % i for i in range(number))


@pytest.mark.parametrize("path", [*_PATHS, *_ADMIN_PATHS])
async def test_a_body_is_not_read_before_the_token(path: str, shop: Shop) -> None:
    """A megabyte of unknown keys from a stranger is 401 or 413 at once, in few bytes."""
    for body in (_unknown_keys(110_000), _unknown_keys(2_000), b"[" * 2_000):
        for header in ({"Authorization": "Bearer x"}, {}):
            headers = header | {"Content-Type": "application/json"}
            started = time.perf_counter()
            answer = await shop.http.post(shop.url + path, content=body, headers=headers)
            assert answer.status_code in (401, 413)
            assert len(answer.content) < 1000
            assert time.perf_counter() - started < 1


@pytest.mark.parametrize("path", _PATHS)
async def test_a_body_has_the_size_that_its_endpoint_needs(
    path: str, user_without_purchase: User, shop: Shop
) -> None:
    """A signed-in user's body of 40 kB is a 413, announced or not."""
    headers = user_without_purchase.bearer | {"Content-Type": "application/json"}
    body = _unknown_keys(5_000)
    answer = await shop.http.post(shop.url + path, content=body, headers=headers)
    read_problem(answer, 413, "body-too-large")

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 4096):
            yield body[start : start + 4096]

    answer = await shop.http.post(shop.url + path, content=chunks(), headers=headers)
    read_problem(answer, 413, "body-too-large")


@pytest.mark.parametrize("path", _PATHS)
@pytest.mark.parametrize(
    "body",
    [
        _KEYS,
        {"k" * 30_000: 1},
        {"\ud800" * 100: 1},
        {"items": [{"price": "p", **_KEYS}]},
        {"items": [1] * 9_000},
        {"flow": {"type": "x" * 20_000}, "return_url": "x" * 3_000},
        {"flow": {"type": "payment_method_update", **_KEYS}},
    ],
    ids=["keys", "a long key", "surrogates", "nested keys", "items", "long values", "in a flow"],
)
async def test_an_error_repeats_little_of_a_body(
    path: str, body: dict[str, Any], user_without_purchase: User, shop: Shop
) -> None:
    """At most 20 fields are named, by at most 100 characters each, and no value is repeated."""
    headers = user_without_purchase.bearer | {"Content-Type": "application/json"}
    sent = json.dumps(body)
    answer = await shop.http.post(shop.url + path, content=sent, headers=headers)
    problem = read_problem(answer, 400)
    assert len(answer.content) < 20_000
    assert 1 <= len(problem["data"]) <= 20
    assert all(len(name) <= 101 for name in problem["data"])


async def test_admin_errors_are_short_and_come_after_the_superuser(
    superuser_token: str, user_without_purchase: User, shop: Shop
) -> None:
    """A user hears 403 whatever they send; a superuser's bad body is described in few bytes."""
    for path in _ADMIN_PATHS:
        headers = user_without_purchase.bearer | {"Content-Type": "application/json"}
        answer = await shop.http.post(shop.url + path, content=b"{", headers=headers)
        read_problem(answer, 403, "forbidden")
        headers["Authorization"] = superuser_token
        answer = await shop.http.post(
            shop.url + path, content=_unknown_keys(20_000), headers=headers
        )
        read_problem(answer, 400)
        assert len(answer.content) < 10_000


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/admin/events/prune", {"older_than_days": 800_000}),
        ("/admin/events/prune", {"older_than_days": 10**30}),
        ("/admin/events/prune", {"older_than_days": "90"}),
        ("/admin/events/prune", {"older_than_days": 90.5}),
        ("/admin/events/prune", {"dry_run": "yes"}),
        ("/admin/events/prune", {"dry_run": 1}),
        ("/admin/events/replay", {"since": "999999d"}),
        ("/admin/events/replay", {"since": "0001-01-01T00:00:00+23:00"}),
        ("/admin/events/replay", {"since": "9999-12-31T23:59:59-23:00"}),
        ("/admin/events/replay", {"ids": ["evt_1"], "limit": "10"}),
        ("/admin/events/replay", {"ids": ["x" * 300]}),
        ("/admin/events/replay", {"ids": "evt_1"}),
        ("/admin/events/replay", {"type": "\x00"}),
        ("/admin/events/replay", {"type": "\ud800"}),
        ("/admin/reconcile", {"rate": "20"}),
        ("/admin/reconcile", {"rate": float("inf")}),
        ("/admin/reconcile", {"rate": float("nan")}),
        ("/admin/reconcile", {"dry_run": "true"}),
        ("/admin/reconcile", {"since": "999999d"}),
        ("/admin/reconcile", {"only": ["\x00"]}),
    ],
)
async def test_admin_bodies_are_strict(
    path: str, body: dict[str, Any], superuser_token: str, shop: Shop
) -> None:
    """A value that overflows, or has an invalid type or character, is a 400."""
    headers = {"Authorization": superuser_token, "Content-Type": "application/json"}
    answer = await shop.http.post(shop.url + path, content=json.dumps(body), headers=headers)
    read_problem(answer, 400)


@pytest.mark.parametrize(
    "query",
    ["since=999999d", "until=0001-01-01T00:00:00%2B23:00", "limit=1e9", "type=%00", "after=%00"],
)
async def test_admin_queries_are_checked(query: str, superuser_token: str, shop: Shop) -> None:
    """So are the parameters of an address; an event of an impossible id is not there."""
    headers = {"Authorization": superuser_token}
    answer = await shop.http.get(f"{shop.url}/admin/events?{query}", headers=headers)
    read_problem(answer, 404 if query.startswith("after") else 400)


async def test_a_long_time_ago_is_compared_as_a_date(superuser_token: str, shop: Shop) -> None:
    """Events until the year 500 are none, although "5" comes after "2"."""
    headers = {"Authorization": superuser_token}
    for query in ("until=0500-01-01", "until=0001-01-01"):
        answer = await shop.http.get(f"{shop.url}/admin/events?{query}", headers=headers)
        assert answer.json() == {"events": []}


@asynccontextmanager
async def _hold_open(url: str, head: str, part: bytes, number: int) -> AsyncIterator[None]:
    """Send parts of bodies that do not end, on connections of their own."""
    address = urlsplit(url)
    writers = []
    try:
        for _ in range(number):
            _, writer = await asyncio.open_connection(address.hostname, address.port)
            writers.append(writer)
            writer.write(head.encode() + b"\r\n\r\n" + part)
        await asyncio.gather(*(_drain(writer) for writer in writers))
        yield
    finally:
        for writer in writers:
            writer.close()


async def _drain(writer: asyncio.StreamWriter) -> None:
    try:
        async with asyncio.timeout(5):
            await writer.drain()
    except (ConnectionError, TimeoutError):
        pass  # It has given way to another.


@pytest.fixture
def transforming(fresh_stack: Callable[..., Stack]) -> Stack:
    """A stack with the collection of slow_transforms.py."""
    own = fresh_stack(GATEWAY_APP="tests.serving.slow_transforms:app")
    fields = [{"name": "title", "type": "text"}]
    letters = {"name": "letters", "fields": fields, "createRule": "", "viewRule": ""}
    with open_superuser_client(own.pocketbase) as client:
        create_collections(client, letters)
    return own


@pytest.mark.parametrize(
    ("path", "size", "headers"),
    [
        (
            "/hooks/records",
            7_000_000,
            "webhook-id: x{}\r\nwebhook-timestamp: {}\r\nwebhook-signature: v1," + "A" * 44,
        ),
        ("/records/letters", 1_000_000, "X-Number: {}{}"),
        ("/webhooks/stripe", 1_000_000, "Stripe-Signature: v1={},t={}"),
    ],
    ids=["hooks", "records", "webhooks"],
)
async def test_all_bodies_together_have_a_limit(
    path: str, size: int, headers: str, transforming: Stack
) -> None:
    """Bodies that do not end hold less than 100 MB, and others are served meanwhile."""
    own = transforming
    process = psutil.Process(own.gateway.pid)
    before = process.memory_info().rss
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {size + 10}\r\n" + headers.format(token_hex(4), int(time.time()))
    number = 60 if size > 2_000_000 else 150
    async with _hold_open(own.gateway.url, head, b" " * size, number), open_client() as http:
        assert process.memory_info().rss - before < 100_000_000
        sender = Sender(http, own.gateway.url, own.plan.stripe.webhook_secrets[0])
        event = build_event("some.type", {"id": "x_1", "object": "x"})
        assert (await sender.send(event)).status_code == 200
        answer = await http.post(f"{own.gateway.url}/records/letters", json={"title": "a"})
        assert answer.status_code == 200, answer.text


async def test_calls_without_a_plausible_signature_are_refused_unread(transforming: Stack) -> None:
    """Such a call is answered 401 while its body is still to come."""
    address = urlsplit(transforming.gateway.url)
    for given in ("", "webhook-id: x\r\nwebhook-timestamp: 1\r\nwebhook-signature: v1,AA\r\n"):
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(
            b"POST /hooks/records HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            + f"Content-Length: 8000000\r\n{given}\r\n[".encode()
        )
        async with asyncio.timeout(5):
            assert (await reader.readline()).startswith(b"HTTP/1.1 401")
        writer.close()


async def test_slow_transforms_hold_up_neither_deliveries_nor_users(transforming: Stack) -> None:
    """While 150 writes through /records wait for their transforms, all else goes on."""
    own = transforming
    async with (
        Frontend(own.pocketbase.url) as frontend,
        open_client(timeout=30, limits=httpx.Limits(max_connections=200)) as http,
    ):
        user = await frontend.sign_up()
        url = f"{own.gateway.url}/records/letters"
        writes = [asyncio.create_task(http.post(url, json={"title": "a"})) for _ in range(150)]
        await asyncio.wait(writes, timeout=1)
        assert not any(write.done() for write in writes)
        sender = Sender(http, own.gateway.url, own.plan.stripe.webhook_secrets[0])
        event = build_event("some.type", {"id": "x_1", "object": "x"})
        assert (await sender.send(event)).status_code == 200
        body = {"return_url": f"{ORIGIN}/a"}
        answer = await http.post(f"{own.gateway.url}/portal", json=body, headers=user.bearer)
        read_problem(answer, 404, "no-customer")
        assert not all(write.done() for write in writes)
        answers = await asyncio.gather(*writes)
    assert sum(answer.status_code == 200 for answer in answers) >= 100


async def test_a_client_that_goes_leaves_one_line(transforming: Stack) -> None:
    """A body that the client breaks off logs neither an error nor a traceback."""
    own = transforming
    head = "POST /records/letters HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    async with _hold_open(own.gateway.url, head + "Content-Length: 99", b"{", 1):
        pass

    async def is_noted() -> bool:
        return "client gone" in own.gateway.log.read_text()

    await eventually(is_noted)
    assert "Traceback" not in own.gateway.log.read_text()


async def test_an_unforeseen_error_is_a_problem_on_a_connection_that_stays(
    fresh_stack: Callable[..., Stack],
) -> None:
    """It has CORS headers and a request id, and the next request goes on the same connection."""
    own = fresh_stack(start=False)
    gateway = own.gateway
    port = own.plan.ports.gateway
    gateway.command = (sys.executable, "-m", "uvicorn", "tests.serving.failing:app")
    gateway.command += (f"--port={port}", "--log-level=warning")
    own.pocketbase.copy_migrated()
    own.pocketbase.ensure_superuser()
    for part in (own.pocketbase, gateway):
        part.start()
        part.wait_healthy()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for path in ("/broken", "/broken", "/health"):
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nOrigin: {ORIGIN}\r\n\r\n".encode())
        async with asyncio.timeout(5):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.split("content-length: ")[1].split("\r")[0])
            body = json.loads(await reader.readexactly(length))
        assert f"access-control-allow-origin: {ORIGIN}" in head
        assert "x-request-id: " in head
        assert "connection: close" not in head
        assert body["status"] == ("ok" if path == "/health" else 500)
        assert "unforeseen" not in str(body)
    writer.close()
    assert gateway.log.read_text().count("Traceback") == 2
