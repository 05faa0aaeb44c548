"""Signed calls by the Standard Webhooks specification: id, time and body under one HMAC.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from gateway.errors import Unauthenticated

ID = "webhook-id"
TIMESTAMP = "webhook-timestamp"
SIGNATURE = "webhook-signature"
HEADERS = (ID, TIMESTAMP, SIGNATURE)
#: Seconds by which a call may be old, or the clocks may differ.
TOLERANCE = 60
#: The answer to a call is signed under the call's time, and its id with this before it, so that
#: neither can be taken for the other.
ANSWER_PREFIX = "answer_"

_MOST_IDS = 200_000
_MAX_ID = 255
#: Of a SHA-256 digest in base64.
_SIGNATURE_CHARACTERS = 44


class NotSigned(Unauthenticated):
    """The call is not signed as it must be."""


def decode_secret(secret: str) -> bytes:
    """Return the key in a ``whsec_…`` secret.

    Raises:
        ValueError: it is no base64.
    """
    return b64decode(secret.removeprefix("whsec_"), validate=True)


def sign(call_id: str, timestamp: int, body: bytes, *keys: bytes) -> dict[str, str]:
    """Return the three headers of a message; with several keys, any of them verifies it."""
    digests = (_digest(call_id, str(timestamp), body, key) for key in keys)
    signatures = " ".join(f"v1,{b64encode(digest).decode()}" for digest in digests)
    return {ID: call_id, TIMESTAMP: str(timestamp), SIGNATURE: signatures}


def check_headers(headers: Mapping[str, str], now: float) -> list[str]:
    """Return the signatures of a message, after the checks that need no body.

    Raises:
        NotSigned: a header is missing or has another form, or the time is too far from now.
    """
    call_id, timestamp = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    is_time = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12
    if not call_id or len(call_id) > _MAX_ID or not is_time:
        raise NotSigned
    if abs(now - int(timestamp)) > TOLERANCE:
        raise NotSigned("The call is too old, or the clocks differ.")
    given = [part[3:] for part in headers.get(SIGNATURE, "").split(" ") if part.startswith("v1,")]
    given = [part for part in given if len(part) == _SIGNATURE_CHARACTERS and part.isascii()]
    if not given:
        raise NotSigned
    return given


def verify(
    headers: Mapping[str, str], body: bytes, keys: Sequence[bytes], now: float
) -> tuple[str, bytes]:
    """Return the id of a message that one of the keys has signed lately, and that key.

    Args:
        headers: by lower-case name.
        now: seconds since the epoch.

    Raises:
        NotSigned: a header is missing, no signature fits, or the time is too far from now.
    """
    given = check_headers(headers, now)
    call_id, timestamp = headers[ID], headers[TIMESTAMP]
    for key in keys:
        expected = b64encode(_digest(call_id, timestamp, body, key)).decode()
        if any(hmac.compare_digest(expected.encode(), part.encode()) for part in given):
            return call_id, key
    raise NotSigned


def _digest(call_id: str, timestamp: str, body: bytes, key: bytes) -> bytes:
    mac = _begin(key).copy()
    mac.update(f"{call_id}.{timestamp}.".encode())
    mac.update(body)
    return mac.digest()


@lru_cache(maxsize=8)
def _begin(key: bytes) -> hmac.HMAC:
    """OpenSSL takes longer over a key than over the body of a call."""
    return hmac.new(key, digestmod=hashlib.sha256)


@dataclass(slots=True)
class SeenIds:
    """The ids of the calls that could still be replayed; bounded, the oldest go first."""

    most: int = _MOST_IDS
    _seen: dict[str, float] = field(default_factory=dict)

    def add(self, call_id: str, now: float) -> None:
        """Note an id.

        Raises:
            NotSigned: it came before.
        """
        if call_id in self._seen:
            raise NotSigned("The call came before.")
        while self._seen:
            oldest = next(iter(self._seen))
            # A time-stamp may be ahead by the tolerance, and then stay good for it once more.
            if len(self._seen) < self.most and now - self._seen[oldest] <= 2 * TOLERANCE:
                break
            del self._seen[oldest]
        self._seen[call_id] = now
