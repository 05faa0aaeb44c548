"""Chooses Stripe's idempotency key for the Checkout Session of a buyer. Pure."""

from dataclasses import dataclass, replace

from gateway.checkout.create_session import KeyTaken
from gateway.checkout.purchase_history import PurchaseHistory, read_purchase_history
from gateway.checkout.quote import Quote
from gateway.customers.buyer import Buyer

#: Stripe requires sessions to stay open for 30 minutes; one more for clocks that differ.
_MIN_OPEN_SECONDS = 31 * 60
#: Less than the shortest `expires_minutes` without `_MIN_OPEN_SECONDS`.
_RENEWAL_SECONDS = 15 * 60


@dataclass(frozen=True, slots=True)
class SessionKey:
    """An idempotency key, and the session parameters that depend on it."""

    #: "" if each request creates a session of its own.
    text: str
    #: Unix seconds of the key's first use; the session's time to expire counts from then.
    since: int
    #: The number of an exclusive purchase, 0 for any other.
    number: int = 0
    #: The id of the caller's Idempotency-Key, for an exclusive one-time purchase.
    header_id: str = ""


def choose_session_key(buyer: Buyer, quote: Quote, now: int) -> SessionKey:
    """Return the key: by the pending number, else by the Idempotency-Key header, else none.

    Args:
        now: Unix seconds.

    Raises:
        KeyTaken: the session of the pending checkout has expired or is about to.
    """
    history = read_purchase_history(buyer)
    if quote.is_exclusive and history.pending_number:
        if _is_expiring(quote, history, now):
            raise KeyTaken
        text = f"checkout-{buyer.payer}-{history.pending_number}"
        # Another header means another page; of one-time purchases only the last page stays open.
        header_id = history.key.id if history.key and quote.mode == "payment" else ""
        return SessionKey(text, history.pending_since, history.pending_number, header_id)
    if history.key:
        return SessionKey(f"checkout-{buyer.payer}-{history.key.id}", history.key.since)
    return SessionKey("", now)


def renew_key(key: SessionKey, now: int) -> SessionKey:
    """Return the key for a request that was first sent so long ago that its page would have ended.

    Requests of the same quarter of an hour share it.

    Args:
        now: Unix seconds.
    """
    since = now - now % _RENEWAL_SECONDS
    return replace(key, text=key.text and f"{key.text}-since-{since}", since=since)


def _is_expiring(quote: Quote, history: PurchaseHistory, now: int) -> bool:
    expires_at = history.pending_since + quote.expires_minutes * 60
    return expires_at - now < _MIN_OPEN_SECONDS
