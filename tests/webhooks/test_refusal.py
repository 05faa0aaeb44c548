"""Deliveries that are not Stripe's, or no events: a problem document, and nothing written."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.delivery import Json, Sender, build_customer, build_event, build_subscription, sign
from tests.problem import read_problem
from tests.webhooks.conftest import CountRows

_SIX_MINUTES = 360
_MEGABYTE = 1 << 20


def _event(**members: Any) -> Json:
    subscription = build_subscription("cus_none")
    return build_event("customer.subscription.created", subscription) | members


def _without(*path: str) -> bytes:
    """An event that lacks one member."""
    event = holder = _event()
    for key in path[:-1]:
        holder = holder[key]
    del holder[path[-1]]
    return json.dumps(event).encode()


def _with(**members: Any) -> bytes:
    return json.dumps(_event(**members)).encode()


_GOOD = json.dumps(_event()).encode()


def _headers(kind: str, sender: Sender) -> dict[str, str]:
    now, good = time.time(), sign(_GOOD, sender.secret)
    digest = good.partition("v1=")[2]
    return {
        "none": {},
        "empty": {"Stripe-Signature": ""},
        "words": {"Stripe-Signature": "not a signature"},
        "no time": {"Stripe-Signature": f"v1={digest}"},
        "time is a word": {"Stripe-Signature": f"t=now,v1={digest}"},
        "time is empty": {"Stripe-Signature": f"t=,v1={digest}"},
        "no digest": {"Stripe-Signature": f"t={int(now)}"},
        "digest of nothing": {"Stripe-Signature": f"t={int(now)},v1="},
        "wrong digest": {"Stripe-Signature": f"t={int(now)},v1={'0' * 64}"},
        "digest not ASCII": {"Stripe-Signature": f"t={int(now)},v1=é"},
        "other scheme": {"Stripe-Signature": good.replace("v1=", "v0=")},
        "other body": {"Stripe-Signature": sign(_GOOD + b" ", sender.secret)},
        "wrong secret": {"Stripe-Signature": sign(_GOOD, "whsec_wrong")},
        "empty secret": {"Stripe-Signature": sign(_GOOD, "")},
        "part of the secret": {"Stripe-Signature": sign(_GOOD, sender.secret[:-1])},
        "another time": {"Stripe-Signature": good.replace("t=", "t=1")},
        "old": {"Stripe-Signature": sign(_GOOD, sender.secret, now - _SIX_MINUTES)},
        "very old": {"Stripe-Signature": sign(_GOOD, sender.secret, 0)},
    }[kind]


_SIGNATURES = (
    "none",
    "empty",
    "words",
    "no time",
    "time is a word",
    "time is empty",
    "no digest",
    "digest of nothing",
    "wrong digest",
    "digest not ASCII",
    "other scheme",
    "other body",
    "wrong secret",
    "empty secret",
    "part of the secret",
    "another time",
    "old",
    "very old",
)


@pytest.mark.parametrize("kind", _SIGNATURES)
async def test_a_bad_signature_is_refused(
    kind: str, sender: Sender, counted: dict[str, int], count_rows: CountRows
) -> None:
    """A delivery with a missing, wrong, foreign or old signature writes nothing."""
    headers = {name: value.encode() for name, value in _headers(kind, sender).items()}
    answer = await sender.post(_GOOD, headers)
    read_problem(answer, 400, "invalid-signature")
    assert await count_rows() == counted


_BODIES: dict[str, bytes] = {
    "empty": b"",
    "a word": b"hello",
    "a form": b"id=evt_1&type=x",
    "half of it": _GOOD[:-20],
    "two of it": _GOOD + _GOOD,
    "array": b"[" + _GOOD + b"]",
    "string": json.dumps(_GOOD.decode()).encode(),
    "number": b"1",
    "null": b"null",
    "true": b"true",
    "empty object": b"{}",
    "duplicate id": b'{"id": "evt_twice", ' + _GOOD[1:],
    "duplicate key deep inside": _GOOD.replace(b'"metadata": {}', b'"metadata": {"a":1,"a":2}'),
    "NaN": _with(amount=float("nan")),
    "Infinity": _with(amount=float("inf")),
    "byte order mark": b"\xef\xbb\xbf" + _GOOD,
    "invalid UTF-8": _GOOD.replace(b"active", b"act\xffve"),
    "UTF-16": _GOOD.decode().encode("utf-16"),
    "surrogate bytes": _GOOD.replace(b"active", b"\xed\xa0\x80"),
    "lone surrogate in the id": _with(id="evt_\ud800"),
    "lone surrogate in the type": _with(type="product.\udfff"),
    "lone surrogate in the object": _GOOD.replace(b"active", b"\\ud800"),
    "lone surrogate in the object's id": _GOOD.replace(b'"sub_', b'"sub_\\uDBFF'),
    "lone surrogate in a key": _GOOD.replace(b'"status"', b'"\\udc00"'),
    "deep arrays": b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep data of an event": _GOOD.replace(
        b'"metadata": {}', b'"metadata": ' + b"[" * 100_000 + b"]" * 100_000
    ),
    "control character": _GOOD.replace(b"active", b"act\x1eive"),
    "record separator behind it": _GOOD + b"\x1e",
    "huge number": _GOOD.replace(b'"livemode": false', b'"livemode": ' + b"9" * 10_000),
    "no id": _without("id"),
    "empty id": _with(id=""),
    "id is a number": _with(id=1),
    "id is null": _with(id=None),
    "id is too long": _with(id="evt_" + "x" * 252),
    "id has a line break": _with(id="evt_\n1"),
    "no type": _without("type"),
    "type is a list": _with(type=["a"]),
    "no created": _without("created"),
    "created is a word": _with(created="yesterday"),
    "created is true": _with(created=True),
    "created is negative": _with(created=-1),
    "created is beyond any calendar": _with(created=10**18),
    "no data": _without("data"),
    "data is a list": _with(data=[]),
    "no data.object": _without("data", "object"),
    "data.object is an id": _with(data={"object": "sub_1"}),
    "data.object is null": _with(data={"object": None}),
}


@pytest.mark.parametrize("name", _BODIES)
async def test_a_signed_body_that_is_no_event_is_refused(
    name: str, sender: Sender, counted: dict[str, int], count_rows: CountRows
) -> None:
    """A good signature on a body that is no Stripe event gets a 400 and writes nothing."""
    document = read_problem(await sender.send_signed(_BODIES[name]), 400, "invalid-event")
    assert len(document["detail"]) < 200
    assert await count_rows() == counted


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "chunked"])
async def test_a_body_of_five_megabytes_is_refused(
    chunked: bool, sender: Sender, counted: dict[str, int], count_rows: CountRows
) -> None:
    """A body beyond the limit is refused by 413, whether its length is announced or not."""
    body = json.dumps(_event(padding="x" * 5 * _MEGABYTE)).encode()

    async def stream() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    headers = {"Stripe-Signature": sign(body, sender.secret)}
    answer = await sender.post(stream() if chunked else body, headers)
    read_problem(answer, 413, "body-too-large")
    assert await count_rows() == counted


async def test_a_large_event_below_the_limit_is_taken(sender: Sender) -> None:
    """An event of nearly the largest size, far beyond what Stripe sends, is stored."""
    event = build_event("product.created", {"id": "prod_large", "object": "product"})
    event["data"]["object"]["metadata"] = {"text": "x" * (_MEGABYTE - 1000)}
    answer = await sender.send(event)
    assert answer.json() == {"received": True, "outcome": "applied"}


async def test_a_replay_after_the_tolerance_is_refused(sender: Sender) -> None:
    """A signature that is good for five minutes can't be used again after that."""
    body = json.dumps(build_event("some.type", {"id": "x_1", "object": "x"})).encode()
    just_in_time = {"Stripe-Signature": sign(body, sender.secret, time.time() - 290)}
    assert (await sender.post(body, just_in_time)).status_code == 200
    caught = {"Stripe-Signature": sign(body, sender.secret, time.time() - 310)}
    read_problem(await sender.post(body, caught), 400, "invalid-signature")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_only_post_is_taken(method: str, sender: Sender) -> None:
    """Every other method is answered by a 405 problem document."""
    answer = await sender.http.request(method, sender.url)
    read_problem(answer, 405)
    assert answer.headers["allow"] == "POST"


async def test_the_content_type_does_not_matter(sender: Sender) -> None:
    """The signature decides; a proxy may drop the content type."""
    event = build_event("customer.created", build_customer("nobody"))
    body = json.dumps(event).encode()
    headers = {"Stripe-Signature": sign(body, sender.secret), "Content-Type": "text/plain"}
    assert (await sender.post(body, headers)).json()["outcome"] == "applied"
