"""PocketBase record ids that follow from Stripe ids: writes and relations need no look-up."""

from hashlib import sha256

_LENGTH = 15


def record_id(stripe_id: str) -> str:
    """Return the id of the row that mirrors a Stripe object: 15 lowercase hex digits.

    Why not the Stripe id itself: docs/decisions/002-record-ids.md.
    """
    return sha256(stripe_id.encode()).hexdigest()[:_LENGTH]
