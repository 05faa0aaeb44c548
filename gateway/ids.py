"""Derives ids: record ids from Stripe ids, and idempotency keys."""

from functools import lru_cache
from hashlib import sha256

_ID_CHARACTERS = 15
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
#: Base-36 digits of an event's second (until the year 4453), and of its hash.
_SECOND_DIGITS = 7
_HASH_DIGITS = _ID_CHARACTERS - _SECOND_DIGITS
_LAST_SECOND, _HASHES = 36**_SECOND_DIGITS - 1, 36**_HASH_DIGITS


def idempotency_key(kind: str, *parts: str) -> str:
    """Return Stripe's idempotency key for a request: a hash of the parts that identify it."""
    return f"{kind}-{sha256('|'.join(parts).encode()).hexdigest()[:32]}"


@lru_cache(maxsize=4096)
def record_id(stripe_id: str) -> str:
    """Return the id of the row that mirrors a Stripe object: 15 lowercase hex digits.

    docs/decisions/002-record-ids.md explains why it is not the Stripe id itself.
    """
    return sha256(stripe_id.encode()).hexdigest()[:_ID_CHARACTERS]


def event_id(stripe_id: str, created: int) -> str:
    """Return the id of an event's row: its second, then a hash, so that ids sort by time.

    docs/decisions/017-event-ids.md explains why it is not `record_id`.

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
