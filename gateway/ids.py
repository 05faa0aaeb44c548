"""Ids that follow from others: of records, and of requests that may come twice."""

from functools import lru_cache
from hashlib import sha256

_LENGTH = 15
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
#: Base-36 digits of an event's second, until the year 4453, and of its hash.
_SECOND_DIGITS = 7
_HASH_DIGITS = _LENGTH - _SECOND_DIGITS
_LAST_SECOND, _HASHES = 36**_SECOND_DIGITS - 1, 36**_HASH_DIGITS


def idempotency_key(kind: str, *parts: str) -> str:
    """Return a key for Stripe that is the same for the same parts, and tells nothing of them."""
    return f"{kind}-{sha256('|'.join(parts).encode()).hexdigest()[:32]}"


@lru_cache(maxsize=4096)
def record_id(stripe_id: str) -> str:
    """Return the id of the row that mirrors a Stripe object: 15 lowercase hex digits.

    Why not the Stripe id itself: docs/decisions/002-record-ids.md.
    """
    return sha256(stripe_id.encode()).hexdigest()[:_LENGTH]


def event_id(stripe_id: str, created: int) -> str:
    """Return the id of the row that keeps an event: its second, then a hash; they sort by time.

    Why not `record_id`: docs/decisions/017-event-ids.md.

    Args:
        created: Unix seconds by Stripe's clock.
    """
    digest = int.from_bytes(sha256(stripe_id.encode()).digest()[:8])
    second = _base36(min(created, _LAST_SECOND), _SECOND_DIGITS)
    return second + _base36(digest % _HASHES, _HASH_DIGITS)


def _base36(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits
