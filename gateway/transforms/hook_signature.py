"""Signs and verifies calls between PocketBase's hooks and the gateway: Standard Webhooks.

The library's `verify` is not used: it accepts calls up to five minutes old, reads the clock itself,
and fails on a malformed signature even if another one is valid. Added here: several keys during a
rotation, a shorter tolerance, header checks before the body is read, and ids that are valid once.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import re
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
#: Maximum age of a call, and maximum difference of the clocks.
TOLERANCE_SECONDS = 60
#: The answer to a call is signed with the call's time, and with its id after this prefix, so that
#: a call can't be replayed as an answer or the reverse.
ANSWER_PREFIX = "answer_"

_MAX_IDS = 200_000
_MAX_ID_LENGTH = 255
#: A SHA-256 digest in base64.
_is_signature = re.compile(r"v1,[A-Za-z0-9+/]{43}=").fullmatch


class NotSigned(Unauthenticated):
    """The call's signature is missing or not valid."""


def sign(call_id: str, timestamp: int, body: bytes, *keys: bytes) -> dict[str, str]:
    """Return the three headers of a message; with several keys, one signature per key.

    Args:
        timestamp: Unix seconds.
        body: UTF-8.
    """
    signed_at, text = datetime.fromtimestamp(timestamp, UTC), body.decode()
    signatures = " ".join(Webhook(key).sign(call_id, signed_at, text) for key in keys)
    return {ID: call_id, TIMESTAMP: str(timestamp), SIGNATURE: signatures}


def check_headers(headers: Mapping[str, str], now: float) -> list[str]:
    """Check the headers of a message, which needs no body; return its signatures.

    Raises:
        NotSigned: a header is missing or malformed, or the time differs too much from now.
    """
    call_id, timestamp = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    is_time = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12
    if not call_id or len(call_id) > _MAX_ID_LENGTH or not is_time:
        raise NotSigned
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
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
        now: Unix seconds.

    Raises:
        NotSigned: a header is missing, no signature matches, or the time differs too much from now.
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
    """The ids of calls that could still be replayed; at most `max_ids`, the newest ones."""

    max_ids: int = _MAX_IDS
    _seen: dict[str, float] = field(default_factory=dict)

    def add(self, call_id: str, now: float) -> None:
        """Store an id.

        Raises:
            NotSigned: the id was used before.
        """
        if call_id in self._seen:
            raise NotSigned("The webhook-id was used before.")
        while self._seen:
            oldest = next(iter(self._seen))
            # A timestamp may be ahead by the tolerance, and stays valid for the tolerance after.
            if len(self._seen) < self.max_ids and now - self._seen[oldest] <= 2 * TOLERANCE_SECONDS:
                break
            del self._seen[oldest]
        self._seen[call_id] = now
