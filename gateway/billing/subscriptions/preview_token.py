"""Signed tokens of previews: the change, the subscription's state, and the date. Pure.

A change with a preview is charged from the preview's date. The token is signed because a client
that could choose the date could choose the amount. See docs/decisions/020-signed-previews.md.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, field
from hashlib import sha256
from secrets import token_hex

from gateway.errors import InvalidRequest, invalid_field
from gateway.json_codec import dump, dump_sorted, load
from gateway.rows import Json
from gateway.stripe_api.fields import as_dict, as_list, stripe_id

#: Separates these keys from other keys derived from the secrets.
_PURPOSE = b"gateway: previews of subscription changes, 1"
#: Fields that determine the amount of a change, besides items and invoice.
_DECISIVE = (
    "status",
    "currency",
    "billing_cycle_anchor",
    "collection_method",
    "pause_collection",
    "pending_update",
    "trial_end",
)


@dataclass(frozen=True, slots=True)
class PreviewToken:
    """The signed content of a preview."""

    #: The subscription's id.
    subscription: str
    #: See `describe_version`.
    version: str
    #: A digest of the previewed change.
    change: str
    #: Unix seconds of Stripe's clock from which the change is charged.
    date: int
    #: The id of the preview, which can be used once.
    nonce: str = field(default_factory=lambda: token_hex(12))
    #: Whether an earlier date benefits the buyer.
    is_credit: bool = False


def derive_keys(secrets: Iterable[str]) -> tuple[bytes, ...]:
    """Return one key per secret; the first signs, all verify."""
    return tuple(hmac.digest(secret.encode(), _PURPOSE, sha256) for secret in secrets)


def sign_preview(token: PreviewToken, keys: Sequence[bytes]) -> str:
    """Return the token as text: the ``proration_date`` of a preview."""
    content = _encode(dump(astuple(token)))
    return f"{content}.{_sign(content, keys[0])}"


def read_preview(text: str, keys: Sequence[bytes]) -> PreviewToken:
    """Return the token, if one of the keys signed the text.

    Raises:
        InvalidRequest: none of them did.
    """
    content, _, signature = text.partition(".")
    if not any(_is_same(_sign(content, key), signature) for key in keys):
        raise refuse_preview("preview_invalid", "proration_date must be the value of a preview.")
    return PreviewToken(*load(_decode(content)))


def describe_version(subscription: Json) -> str:
    """Return a digest of the state that determines the cost of a change.

    Args:
        subscription: Stripe's object. Each charged change creates a new latest invoice.
    """
    items = [
        [
            stripe_id(item),
            stripe_id(item.get("price")),
            item.get("quantity"),
            item.get("current_period_start"),
            item.get("current_period_end"),
        ]
        for item in as_list(subscription.get("items"))
    ]
    discounts = [stripe_id(discount) for discount in as_list(subscription.get("discounts"))]
    state = {name: subscription.get(name) for name in _DECISIVE}
    state["schedule"] = stripe_id(subscription.get("schedule"))
    state["pending_update"] = as_dict(subscription.get("pending_update")).get("expires_at")
    content = [items, discounts, stripe_id(subscription.get("latest_invoice")), state]
    return digest(dump_sorted(content))


def digest(text: str) -> str:
    """Return the first 32 hex digits of a SHA-256 digest."""
    return sha256(text.encode()).hexdigest()[:32]


def refuse_preview(code: str, reason: str) -> InvalidRequest:
    """Return the error for a preview that does not fit the request."""
    return invalid_field("proration_date", code, f"{reason} Ask for another preview.")


def _sign(content: str, key: bytes) -> str:
    return _encode(hmac.digest(key, content.encode(), sha256))


def _is_same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode())


def _encode(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
