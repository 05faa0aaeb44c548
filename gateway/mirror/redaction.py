"""Removes credentials from Stripe objects before they are stored. Pure.

A client secret is enough to confirm a payment, and some links open a page without a sign-in.
Neither is needed once the object is stored, so both become null. Metadata belongs to the seller and
stays.
"""

from typing import Any

from gateway.json_codec import dump_parsed
from gateway.rows import Json

#: Keys that hold a credential wherever they occur.
_SECRET_KEYS = frozenset({"client_secret", "secret"})
#: Part of every client secret, which links repeat in their query: ``pi_…_secret_…``.
_MARK = "_secret_"
#: By ``object``: fields that open something without a sign-in, and card numbers.
_FIELDS = {
    "account_link": ("url",),
    "billing_portal.session": ("url",),
    "file_link": ("url",),
    "identity.verification_session": ("url",),
    "issuing.card": ("cvc", "number"),
    "login_link": ("url",),
}


def redact(item: Json) -> Json:
    """Return an object with its credentials replaced by null; the object itself if it has none."""
    fields = _FIELDS.get(item["object"])
    if fields:
        item = {name: None if name in fields else value for name, value in item.items()}
    return _redact_hash(item) if _may_have_secret(item) else item


def _may_have_secret(item: Json) -> bool:
    """Search the text of the object: far cheaper than a walk through it."""
    return b"secret" in dump_parsed(item)


def _redact_hash(item: Json) -> Json:
    return {name: _redact_member(name, value) for name, value in item.items()}


def _redact_member(name: str, value: Any) -> Any:
    if name in _SECRET_KEYS:
        return None
    return value if name == "metadata" else _redact_value(value)


def _redact_value(value: Any) -> Any:
    if isinstance(value, dict):
        return _redact_hash(value)
    if isinstance(value, list):
        return [_redact_value(each) for each in value]
    return None if isinstance(value, str) and _MARK in value else value
