"""Signed calls between PocketBase's hooks and the gateway, by the Standard Webhooks library.

The library's `verify` is not used: it takes calls of up to five minutes by a clock of its own, and
fails on a malformed signature even beside a valid one. Added here: several keys while a secret is
rotated, a shorter tolerance, checks of the headers before the body is read, and ids that are valid
once.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hmac import compare_digest

from standardwebhooks import Webhook

from gateway.errors import Unauthenticated

ID = "webhook-id"
TIMESTAMP = "webhook-timestamp"
SIGNATURE = "webhook-signature"
HEADERS = (ID, TIMESTAMP, SIGNATURE)
#: Maximum age of a call in seconds, and maximum difference of the clocks.
TOLERANCE = 60
#: The answer to a call is signed under the call's time, and its id with this before it, so that
#: neither can be taken for the other.
ANSWER_PREFIX = "answer_"

_MOST_IDS = 200_000
_MAX_ID = 255
#: A SHA-256 digest in base64.
_is_signature = re.compile(r"v1,[A-Za-z0-9+/]{43}=").fullmatch


class NotSigned(Unauthenticated):
    """The call is not signed as it must be."""


def decode_secret(secret: str) -> bytes:
    """Return the key in a ``whsec_…`` secret.

    Raises:
        ValueError: it is not base64.
    """
    return b64decode(secret.removeprefix("whsec_"), validate=True)


def sign(call_id: str, timestamp: int, body: bytes, *keys: bytes) -> dict[str, str]:
    """Return the three headers of a message; with several keys, any of them verifies it.

    Args:
        body: UTF-8.
    """
    moment, text = datetime.fromtimestamp(timestamp, UTC), body.decode()
    signatures = " ".join(Webhook(key).sign(call_id, moment, text) for key in keys)
    return {ID: call_id, TIMESTAMP: str(timestamp), SIGNATURE: signatures}


def check_headers(headers: Mapping[str, str], now: float) -> list[str]:
    """Return the signatures of a message, after the checks that need no body.

    Raises:
        NotSigned: a header is missing or malformed, or the time is too far from now.
    """
    call_id, timestamp = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    is_time = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12
    if not call_id or len(call_id) > _MAX_ID or not is_time:
        raise NotSigned
    if abs(now - int(timestamp)) > TOLERANCE:
        raise NotSigned("The call is too old, or the clocks differ.")
    given = [part for part in headers.get(SIGNATURE, "").split(" ") if _is_signature(part)]
    if not given:
        raise NotSigned
    return given


def verify(
    headers: Mapping[str, str], body: bytes, keys: Sequence[bytes], now: float
) -> tuple[str, bytes]:
    """Return the id of a message, and the key that signed it.

    Args:
        headers: by lower-case name.
        now: seconds since the epoch.

    Raises:
        NotSigned: a header is missing, no signature fits, or the time is too far from now.
    """
    given = check_headers(headers, now)
    call_id, timestamp = headers[ID], headers[TIMESTAMP]
    for key in keys:
        try:
            expected = sign(call_id, int(timestamp), body, key)[SIGNATURE]
        except UnicodeDecodeError as error:  # JSON is UTF-8.
            raise NotSigned from error
        if any(compare_digest(expected, part) for part in given):
            return call_id, key
    raise NotSigned


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
