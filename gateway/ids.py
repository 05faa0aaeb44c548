"""Ids that follow from others: of records, and of requests that may come twice."""

from hashlib import sha256

_LENGTH = 15


def idempotency_key(kind: str, *parts: str) -> str:
    """Return a key for Stripe that is the same for the same parts, and tells nothing of them."""
    return f"{kind}-{sha256('|'.join(parts).encode()).hexdigest()[:32]}"


def record_id(stripe_id: str) -> str:
    """Return the id of the row that mirrors a Stripe object: 15 lowercase hex digits.

    Why not the Stripe id itself: docs/decisions/002-record-ids.md.
    """
    return sha256(stripe_id.encode()).hexdigest()[:_LENGTH]
