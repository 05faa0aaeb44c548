"""Signatures by the Standard Webhooks specification, without a server."""

import json
import time
from base64 import b64decode

import pytest
from standardwebhooks import Webhook

from gateway.transforms.hook_signature import (
    TOLERANCE_SECONDS,
    NotSigned,
    SeenIds,
    sign,
    verify,
)

# The specification's own example: https://www.standardwebhooks.com, "Verifying webhooks".
_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
_TIME = 1614265330
_BODY = b'{"test": 2432232314}'
_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
# Not ASCII text, so no key of ours: PocketBase's hooks could not read it.
_KEY = b64decode(_SECRET.removeprefix("whsec_"))


def _headers(**changed: str) -> dict[str, str]:
    headers = {
        "webhook-id": _ID,
        "webhook-timestamp": str(_TIME),
        "webhook-signature": _SIGNATURE,
    }
    return headers | {name.replace("_", "-"): value for name, value in changed.items()}


def test_the_specifications_example_is_signed_and_verified() -> None:
    """Our signature of the example is the published one, and the published one is accepted."""
    assert sign(_ID, _TIME, _BODY, _KEY) == _headers()
    assert verify(_headers(), _BODY, [_KEY], _TIME) == (_ID, _KEY)


def test_one_of_several_signatures_or_keys_is_enough() -> None:
    """While a secret is rotated, senders may sign with both, and receivers accept both."""
    other = b"another key of ours, of 32 bytes"
    several = _headers(webhook_signature=f"v1a,what v1,ever {_SIGNATURE}")
    assert verify(several, _BODY, [other, _KEY], _TIME) == (_ID, _KEY)
    both = sign(_ID, _TIME, _BODY, other, _KEY)
    assert verify(both, _BODY, [_KEY], _TIME) == (_ID, _KEY)


def test_the_library_accepts_our_signatures() -> None:
    """Standard Webhooks' own library reads our secrets, and verifies what we sign."""
    for body in (b"", b"{}", '{"name":"Zo\u00eb \U0001f418"}'.encode()):
        headers = sign("msg_1", int(time.time()), body, b"another key of ours", _KEY)
        Webhook(_SECRET).verify(body, headers, json_parse=False)


@pytest.mark.parametrize("other", ["v1,", "v1,=", "v1", "v1,a,b", f"{_SIGNATURE[:9]},{'x' * 37}"])
def test_a_malformed_signature_does_not_hide_a_valid_one(other: str) -> None:
    """A sender may add what we can't read."""
    for several in (f"{other} {_SIGNATURE}", f"{_SIGNATURE} {other}"):
        headers = _headers(webhook_signature=several)
        assert verify(headers, _BODY, [_KEY], _TIME) == (_ID, _KEY)


@pytest.mark.parametrize(
    ("changed", "body"),
    [
        ({"webhook_id": "msg_other"}, _BODY),
        ({"webhook_id": ""}, _BODY),
        ({"webhook_timestamp": str(_TIME + 1)}, _BODY),
        ({"webhook_timestamp": ""}, _BODY),
        ({"webhook_timestamp": "soon"}, _BODY),
        ({"webhook_timestamp": "٣"}, _BODY),
        ({"webhook_timestamp": "9" * 400}, _BODY),
        ({"webhook_signature": ""}, _BODY),
        ({"webhook_signature": _SIGNATURE[3:]}, _BODY),
        ({"webhook_signature": _SIGNATURE.replace("v1", "v2")}, _BODY),
        ({"webhook_signature": "v1,é"}, _BODY),
        ({}, _BODY + b" "),
        ({}, b""),
        ({}, _BODY + b"\xff"),
    ],
)
def test_what_is_altered_is_refused(changed: dict[str, str], body: bytes) -> None:
    """A signature is good for exactly one id, time and body."""
    with pytest.raises(NotSigned):
        verify(_headers(**changed), body, [_KEY], _TIME)


@pytest.mark.parametrize("drift", [-TOLERANCE_SECONDS - 1, TOLERANCE_SECONDS + 1])
def test_what_is_not_of_now_is_refused(drift: int) -> None:
    """A call is good for a minute, by either clock."""
    with pytest.raises(NotSigned):
        verify(_headers(), _BODY, [_KEY], _TIME + drift)


def test_an_id_is_good_once() -> None:
    """A repeated call is refused as long as its timestamp is valid."""
    seen = SeenIds()
    seen.add("a", 0)
    with pytest.raises(NotSigned):
        seen.add("a", 2 * TOLERANCE_SECONDS)
    seen.add("b", 2 * TOLERANCE_SECONDS + 1)
    seen.add("a", 2 * TOLERANCE_SECONDS + 1)


def test_the_memory_of_ids_is_bounded() -> None:
    """Beyond the limit the oldest is forgotten."""
    seen = SeenIds(max_ids=3)
    for name in "abcd":
        seen.add(name, time.time())
    seen.add("a", time.time())
    with pytest.raises(NotSigned):
        seen.add("d", time.time())


def test_json_is_signed_as_it_is_sent() -> None:
    """The bytes are signed, not what they mean."""
    with pytest.raises(NotSigned):
        verify(_headers(), json.dumps(json.loads(_BODY)).encode() + b"\n", [_KEY], _TIME)
