"""From signed bytes to an event."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import InvalidEvent, InvalidSignature
from gateway.stripe_api.event import parse
from gateway.webhooks.signature import TOLERANCE_SECONDS, verify
from tests.delivery import build_event, sign

BODY = b'{"id": "evt_1"}'


@pytest.mark.parametrize("secrets", [("a",), ("b", "a"), ("a", "b")])
def test_one_good_secret_is_enough(secrets: tuple[str, ...]) -> None:
    """During a rotation a delivery signed by either secret is taken."""
    assert verify(BODY, sign(BODY, "a"), secrets) == BODY.decode()


def test_one_good_signature_is_enough() -> None:
    """The header may carry a signature for each of Stripe's secrets."""
    header = f"{sign(BODY, 'old')},{sign(BODY, 'new').split(',')[1]}"

    assert verify(BODY, header, ("new",)) == BODY.decode()


#: How each bad header is made, at the time of the test: a test's name must not hold a time.
_BAD_HEADERS: dict[str, Callable[[], str]] = {
    "missing": lambda: "",
    "no header": lambda: "x",
    "empty": lambda: "t=,v1=",
    "no digest": lambda: "t=1,v1=0",
    "no time that exists": lambda: "t=99999999999999999999,v1=00",
    "another secret": lambda: sign(BODY, "b"),
    "another body": lambda: sign(b"other", "a"),
    "too old": lambda: sign(BODY, "a", time.time() - TOLERANCE_SECONDS - 5),
    "another scheme": lambda: sign(BODY, "a").replace("v1=", "v0="),
    "no time": lambda: sign(BODY, "a").partition(",")[2],
}


@pytest.mark.parametrize("name", _BAD_HEADERS)
def test_bad_signature(name: str) -> None:
    """A header that none of the secrets made for this body and this time is refused."""
    with pytest.raises(InvalidSignature):
        verify(BODY, _BAD_HEADERS[name](), ("a",))


@given(st.binary(max_size=40))
def test_any_header(header: bytes) -> None:
    """No header is an error of ours."""
    with pytest.raises(InvalidSignature):
        verify(BODY, header.decode("latin-1"), ("a",))


def test_event() -> None:
    """All that is known of an event is read, and its payload kept."""
    body = build_event(
        "customer.updated", {"id": "cus_1", "object": "customer"}, {"name": None}, livemode=True
    )
    payload = json.dumps(body, indent=1)

    event = parse(payload)

    assert (event.stripe_id, event.type, event.created) == (
        body["id"],
        "customer.updated",
        body["created"],
    )
    assert (event.object_id, event.previous, event.account) == ("cus_1", {"name": None}, "")
    assert (event.livemode, event.is_thin, event.payload) == (True, False, payload)


@pytest.mark.parametrize("indent", [2, None])
def test_the_spaces_of_stripes_layout_are_not_stored(indent: int | None) -> None:
    """A payload with line breaks is stored as one line with the same content."""
    body = build_event("customer.updated", {"id": "cus_1", "object": "customer", "name": "Ä  b"})
    dense = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    given = json.dumps(body, ensure_ascii=False, indent=2) if indent else dense

    event = parse(given)

    assert event.payload == dense
    assert parse(event.payload) == event


@pytest.mark.parametrize("number", ["1.10", "1e2", "12345678901234567890123"])
def test_a_payload_that_reads_otherwise_is_kept_as_it_is(number: str) -> None:
    """A number that our decoder would write otherwise keeps the whole payload as it came."""
    body = json.dumps(
        build_event("customer.updated", {"id": "cus_1", "object": "customer"}, amount=1), indent=2
    )
    given = body.replace('"amount": 1', f'"amount": {number}')

    assert parse(given).payload == given


def test_thin_event() -> None:
    """A notification names its object, its account, and the event that shows it."""
    event = parse(
        json.dumps(
            {
                "id": "evt_test_1",
                "object": "v2.core.event",
                "type": "v1.customer.deleted",
                "created": "2026-11-01T00:00:00.000Z",
                "context": "acct_1",
                "livemode": False,
                "related_object": {"id": "cus_1", "type": "customer", "url": "/v1/customers/cus_1"},
                "snapshot_event": "evt_1",
            }
        )
    )

    assert (event.object, event.created) == ({"object": "customer", "id": "cus_1"}, 1793491200)
    assert (event.account, event.is_thin, event.snapshot) == ("acct_1", True, "evt_1")


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "[]",
        "null",
        "{",
        "{} {}",
        '{"id": "a", "id": "b"}',
        '{"id": "evt_1", "type": "x", "created": 1, "data": {"object": {"n": NaN}}}',
        '{"id": "evt_1", "type": "x", "created": 1, "data": {"object": {"n": 1e999}}}',
        f'{{"id": "evt_1", "type": "x", "created": 1, "data": {{"object": {{"n": {10**400}}}}}}}',
        '{"id": "evt_1", "type": "x", "created": 1, "data": {"object": {"n": "\\ud800"}}}',
        "[" * 100_000,
    ],
)
def test_no_json_object(payload: str) -> None:
    """A body that is not an unambiguous JSON object is refused."""
    with pytest.raises(InvalidEvent):
        parse(payload)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", None),
        ("id", ""),
        ("id", 7),
        ("id", "x" * 256),
        ("id", "evt_\n1"),
        ("type", None),
        ("type", {}),
        ("created", None),
        ("created", 0),
        ("created", -1),
        ("created", True),
        ("created", 1.5),
        ("created", "yesterday"),
        ("created", 253402300800),
        ("data", None),
        ("data", []),
        ("data", {"object": None}),
        ("data", {"object": "cus_1"}),
    ],
)
def test_no_event(name: str, value: Any) -> None:
    """An event without id, type, time or object is refused."""
    body = build_event("customer.updated", {"id": "cus_1", "object": "customer"}) | {name: value}

    with pytest.raises(InvalidEvent):
        parse(json.dumps(body))
