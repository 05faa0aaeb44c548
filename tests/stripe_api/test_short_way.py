"""The shorter way to Stripe: to Stripe and to its callers it is the SDK's own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import pytest
import stripe

from gateway.stripe_api import Client
from gateway.stripe_api.transport import Transport

_PATH = "/v1/checkout/sessions"
_KEY = "sk_test_short"
_PARAMS: dict[str, Any] = {
    "mode": "subscription",
    "success_url": "http://localhost:3000/a?b=ü&c=[d]",
    "allow_promotion_codes": True,
    "expires_at": 1763856000,
    "automatic_tax": {"enabled": True},
    "line_items": [
        {"price": "price_1", "quantity": 2, "adjustable_quantity": {"enabled": True}},
        {"price": "price_2"},
    ],
    "shipping_address_collection": {"allowed_countries": ["DE", "FR"]},
    "excluded_payment_method_types": ("klarna", "paypal"),
    "locale": None,
    "subscription_data": {"metadata": {"pocketbase_user": "u1"}},
}


@dataclass
class _Stripe:
    """A server that keeps what it is sent, and answers one thing."""

    status: str = "200 OK"
    body: bytes = b'{"id": "cs_1"}'
    requests: list[tuple[dict[str, str], str]] = field(default_factory=list)
    #: Those that serve a connection.
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection."""
        self.tasks.append(asyncio.create_task(self.serve(reader, writer)))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
                form = await reader.readexactly(int(headers["content-length"]))
                self.requests.append((headers | {"line": lines[0]}, form.decode()))
                length = f"Content-Length: {len(self.body)}\r\nRequest-Id: req_1\r\n\r\n"
                writer.write(f"HTTP/1.1 {self.status}\r\n{length}".encode() + self.body)
        except asyncio.IncompleteReadError:
            writer.close()
            await writer.wait_closed()


@asynccontextmanager
async def _open(stripe_server: _Stripe) -> AsyncIterator[Client]:
    server = await asyncio.start_server(stripe_server.accept, "127.0.0.1", 0)
    origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    transport = Transport(origin, 5)
    try:
        yield Client(_KEY, origin, transport)
    finally:
        await transport.close_async()
        server.close()
        await asyncio.gather(*stripe_server.tasks)


async def test_stripe_gets_what_the_sdk_would_send() -> None:
    """The line, the form, the key, the version and the kind are the SDK's own."""
    server = _Stripe()
    async with _open(server) as client:
        await client.raw_request_async("post", _PATH, **_PARAMS, idempotency_key="key-1")
        posted = await client.post(_PATH, _PARAMS, "key-1")
    assert posted.data == {"id": "cs_1"}
    assert posted.headers["Request-Id"] == "req_1"
    [(theirs, their_form), (ours, our_form)] = server.requests
    assert sorted(parse_qsl(our_form)) == sorted(parse_qsl(their_form))
    assert len(parse_qsl(our_form)) == 14
    for name in ("line", "host", "authorization", "content-type", "stripe-version", "user-agent"):
        assert ours[name] == theirs[name]
    assert ours["idempotency-key"] == theirs["idempotency-key"] == "key-1"


async def test_each_request_has_an_idempotency_key() -> None:
    """One that is given no key gets one that no other has: it may be sent again."""
    server = _Stripe()
    async with _open(server) as client:
        for _ in range(2):
            await client.post(_PATH, _PARAMS)
    keys = {headers["idempotency-key"] for headers, _ in server.requests}
    assert len(keys) == 2
    assert all(keys)


_ERRORS: dict[str, tuple[str, bytes, type[stripe.StripeError]]] = {
    "a request that is wrong": (
        "400 Bad Request",
        b'{"error": {"type": "invalid_request_error", "code": "resource_missing",'
        b' "param": "customer", "message": "No such customer"}}',
        stripe.InvalidRequestError,
    ),
    "a key of another request": (
        "400 Bad Request",
        b'{"error": {"type": "idempotency_error", "message": "Keys"}}',
        stripe.IdempotencyError,
    ),
    "a key of nobody": (
        "401 Unauthorized",
        b'{"error": {"message": "Invalid API Key"}}',
        stripe.AuthenticationError,
    ),
    "a card that is refused": (
        "402 Payment Required",
        b'{"error": {"type": "card_error", "code": "card_declined", "message": "No"}}',
        stripe.CardError,
    ),
    "too many requests": (
        "429 Too Many Requests",
        b'{"error": {"message": "Slowly"}}',
        stripe.RateLimitError,
    ),
    "no JSON": ("200 OK", b"<html>", stripe.APIError),
    "a redirect": ("302 Found", b"{}", stripe.APIError),
}


@pytest.mark.parametrize("name", _ERRORS)
async def test_a_refusal_is_the_sdks_error(name: str) -> None:
    """Class, status, code, parameter and headers are those that the SDK itself raises."""
    status, body, kind = _ERRORS[name]
    server = _Stripe(status, body)
    async with _open(server) as client:
        with pytest.raises(kind) as theirs:
            await client.raw_request_async("post", _PATH, **_PARAMS)
        with pytest.raises(kind) as ours:
            await client.post(_PATH, _PARAMS)
    assert len(server.requests) == 2
    assert type(ours.value) is type(theirs.value)
    for member in ("http_status", "code", "param", "json_body", "user_message", "request_id"):
        assert getattr(ours.value, member, None) == getattr(theirs.value, member, None)
