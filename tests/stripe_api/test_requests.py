"""Requests to Stripe: sent by its SDK, with its retries, keys and errors."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
import stripe

from gateway.checkout.create_session import CheckoutSession, create_session
from gateway.errors import (
    GatewayError,
    PaymentRequired,
    StripeFailed,
    StripeKeyRefused,
    StripeKeyReused,
    StripeRefused,
    StripeTooSlow,
    StripeUnavailable,
)
from gateway.stripe_api import read_object, translate_errors
from tests.connections.server import read_request, serve
from tests.stripe_api.client import open_client
from tests.stripe_api.recorder import Recorder, answer

_PARAMS: Any = {
    "mode": "payment",
    "success_url": "http://localhost:3000/a?b=ü&c=[d]",
    "line_items": [{"price": "price_1", "quantity": 2}],
    "automatic_tax": {"enabled": True},
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK waits half a second before it sends a request again; here it does not."""
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.01)


@asynccontextmanager
async def _open(recorder: Recorder) -> AsyncIterator[stripe.StripeClient]:
    async with recorder.serve() as origin, open_client(origin) as client:
        yield client


async def test_a_session_is_asked_for_as_stripe_takes_it() -> None:
    """Key, API version, idempotency key and the form's fields arrive."""
    recorder = Recorder()
    async with _open(recorder) as client:
        session = await create_session(client, _PARAMS, "key-1")
    [(line, headers, form)] = recorder.requests
    assert line == "POST /v1/checkout/sessions HTTP/1.1"
    assert headers["authorization"] == "Bearer sk_test_secret"
    assert headers["stripe-version"] == stripe.api_version
    assert headers["idempotency-key"] == "key-1"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(form) == {
        "mode": ["payment"],
        "success_url": [_PARAMS["success_url"]],
        "line_items[0][price]": ["price_1"],
        "line_items[0][quantity]": ["2"],
        "automatic_tax[enabled]": ["true"],
    }
    assert session == CheckoutSession("cs_1", "https://pay", "", is_replayed=False)


async def test_a_repeated_answer_is_known_as_one() -> None:
    """Stripe's header tells a stored answer from a new one."""
    recorder = Recorder([answer("200 OK", b'{"id": "cs_1", "object": "checkout.session",'
                                b' "url": null, "client_secret": "s"}',
                                "Idempotent-Replayed: true")])  # fmt: skip
    async with _open(recorder) as client:
        session = await create_session(client, _PARAMS, "key-1")
    assert session == CheckoutSession("cs_1", "", "s", is_replayed=True)


async def test_each_request_has_an_idempotency_key() -> None:
    """One that is given no key gets one that no other has: it may be sent again."""
    recorder = Recorder()
    async with _open(recorder) as client:
        for _ in range(2):
            await create_session(client, _PARAMS, "")
    keys = {headers["idempotency-key"] for _, headers, _ in recorder.requests}
    assert len(keys) == 2
    assert all(keys)


_FAILED = answer("500 Internal Server Error", b'{"error": {"message": "Oops"}}')
_ADVISED = answer("400 Bad Request", b'{"error": {"message": "Wait"}}', "Stripe-Should-Retry: true")
_FINAL = answer(
    "500 Internal Server Error", b'{"error": {"message": "No"}}', "Stripe-Should-Retry: false"
)


@pytest.mark.parametrize(
    "failure", [_FAILED, _ADVISED, b"", answer("409 Conflict", b'{"error": {"message": "Lock"}}')]
)
async def test_a_failure_on_the_way_is_retried_under_one_key(failure: bytes) -> None:
    """After a 5xx, a 409, Stripe's advice or a broken connection, the request is sent again."""
    recorder = Recorder([failure, answer()])
    async with _open(recorder) as client:
        assert (await create_session(client, _PARAMS, "")).id == "cs_1"
    [(_, first, form), (_, second, again)] = recorder.requests
    assert first["idempotency-key"] == second["idempotency-key"]
    assert form == again


async def test_retries_end() -> None:
    """A request is sent three times at most, or once where the caller allows no retries."""
    recorder = Recorder([_FAILED])
    async with _open(recorder) as client:
        with pytest.raises(StripeFailed):
            await create_session(client, _PARAMS, "key-1")
        assert len(recorder.requests) == 3
        with pytest.raises(StripeFailed):
            await create_session(client, _PARAMS, "key-1", retries=0)
    assert len(recorder.requests) == 4


async def test_stripe_may_ask_for_no_retry() -> None:
    """Stripe-Should-Retry: false ends the matter."""
    recorder = Recorder([_FINAL, answer()])
    async with _open(recorder) as client:
        with pytest.raises(StripeFailed):
            await create_session(client, _PARAMS, "key-1")
    assert len(recorder.requests) == 1


async def test_connections_are_kept() -> None:
    """Requests that follow each other share a connection: a new one to Stripe takes two trips."""
    recorder = Recorder()
    async with _open(recorder) as client:
        for _ in range(3):
            await create_session(client, _PARAMS, "")
    assert recorder.connections == 1


async def test_an_answer_that_does_not_end_is_one_that_does_not_come() -> None:
    """The time limit is that of the whole answer, also when bytes keep coming."""
    done = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")
        while not done.is_set():
            writer.write(b" ")
            await asyncio.sleep(0.02)

    async with serve(handle) as origin, open_client(origin, seconds=0.2) as client:
        with pytest.raises(StripeTooSlow):
            await read_object(client, "/v1/prices/price_1")
        done.set()


async def test_nobody_listens() -> None:
    """A Stripe that can't be reached is unavailable, and the cause is kept for the log."""
    async with open_client("http://127.0.0.1:9") as client:
        with pytest.raises(StripeUnavailable) as refused:
            await read_object(client, "/v1/prices/price_1")
    assert type(refused.value) is StripeUnavailable
    assert refused.value.__cause__
    assert isinstance(refused.value.__cause__.__cause__, httpx2.ConnectError)


_ERRORS: dict[str, tuple[bytes, type[GatewayError], dict[str, object]]] = {
    "a request that is wrong": (
        answer(
            "400 Bad Request",
            b'{"error": {"type": "invalid_request_error", "code": "resource_missing",'
            b' "param": "customer", "message": "No such customer"}}',
        ),
        StripeRefused,
        {"status": 400, "code": "resource_missing", "param": "customer"},
    ),
    "a key of another request": (
        answer(
            "400 Bad Request",
            b'{"error": {"type": "idempotency_error", "message": "Keys"}}',
        ),
        StripeKeyReused,
        {"status": 400},
    ),
    "a key of nobody": (
        answer("401 Unauthorized", b'{"error": {"message": "Invalid API Key"}}'),
        StripeKeyRefused,
        {"status": 401, "message": "Invalid API Key"},
    ),
    "a card that is refused": (
        answer(
            "402 Payment Required",
            b'{"error": {"type": "card_error", "code": "card_declined",'
            b' "decline_code": "insufficient_funds", "message": "No"}}',
        ),
        PaymentRequired,
        {"status": 402, "code": "card_declined", "decline_code": "insufficient_funds"},
    ),
    "too many requests": (
        answer("429 Too Many Requests", b'{"error": {"message": "Slowly"}}', "Retry-After: 7"),
        StripeUnavailable,
        {"status": 429, "retry_after": 7},
    ),
    "no JSON": (answer("200 OK", b"<html>"), StripeFailed, {"status": 200}),
    "a redirect": (
        answer("302 Found", b"{}", "Location: http://127.0.0.1:9/"),
        StripeFailed,
        {"status": 302},
    ),
}


@pytest.mark.parametrize("name", _ERRORS)
async def test_a_refusal_carries_stripes_facts(name: str) -> None:
    """Status, code, parameter, the bank's reason and the request id reach the gateway's error."""
    raw, kind, facts = _ERRORS[name]
    recorder = Recorder([raw])
    async with _open(recorder) as client:
        with pytest.raises(kind) as refused, translate_errors():
            await client.v1.checkout.sessions.create_async(_PARAMS)
    assert len(recorder.requests) == 1
    found = refused.value.stripe
    assert {name: getattr(found, name) for name in facts} == facts
    # The SDK drops the headers of responses that are not errors of Stripe's.
    assert found.request_id == ("" if kind is StripeFailed else "req_1")
