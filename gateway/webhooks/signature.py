"""Verifies Stripe-Signature headers, as Stripe's SDKs do. Performs no I/O."""

import hmac
import time
from collections.abc import Iterable

from gateway.errors import InvalidEvent, InvalidSignature

#: Maximum age of a signature.
TOLERANCE_SECONDS = 300


def verify(body: bytes, signature: str, secrets: Iterable[str]) -> str:
    """Return the body's text if one of the secrets signed it.

    Args:
        signature: the ``Stripe-Signature`` header: ``t=<unix seconds>,v1=<hex>[,v1=<hex>…]``.

    Raises:
        InvalidSignature: none did, or too long ago.
        InvalidEvent: the body is not UTF-8.
    """
    signed_at, given = _read_signature(signature)
    if signed_at < time.time() - TOLERANCE_SECONDS:
        raise InvalidSignature
    message = b"%d.%b" % (signed_at, body)
    for secret in secrets:
        expected = hmac.digest(secret.encode(), message, "sha256").hex().encode()
        if any(hmac.compare_digest(expected, each) for each in given):
            return _decode(body)
    raise InvalidSignature


def _read_signature(signature: str) -> tuple[int, list[bytes]]:
    """When the body was signed, and the signatures of the scheme that Stripe uses today."""
    times, given = [], []
    for part in signature.split(","):
        name, equals, value = part.partition("=")
        if not equals or not value.isascii():
            raise InvalidSignature
        if name == "t":
            times.append(value)
        elif name == "v1":
            given.append(value.encode())
    first = times[0] if times else ""
    is_time = first.isascii() and first.isdecimal() and len(first) < 16
    return int(first) if is_time else -1, given


def _decode(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise InvalidEvent("The body is not UTF-8.") from None
