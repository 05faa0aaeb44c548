"""Leaves secrets and other people's addresses out of exported values. Pure."""

import re
from collections.abc import Collection
from typing import Any

from gateway.rows import Json

#: Names of values that open something.
_SECRET = re.compile(
    r"(?i)(^|_)(password|passwd|secret|token|api_?key|private_?key|otp)$|^tokenKey$"
)
#: Part of every client secret of Stripe.
_MARK = "_secret_"
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
MASK = "[another address]"


def clean(record: Json, own: Collection[str], hidden: Collection[str] = ()) -> Json:
    """Return a record without secrets, and with the addresses of others masked.

    Args:
        own: the person's addresses, in lower case.
        hidden: names to leave out.
    """
    return {
        name: _clean(value, own)
        for name, value in record.items()
        if name not in hidden and not _SECRET.search(name)
    }


def _clean(value: Any, own: Collection[str]) -> Any:
    if isinstance(value, dict):
        return clean(value, own)
    if isinstance(value, list):
        return [_clean(each, own) for each in value]
    if not isinstance(value, str):
        return value
    if _MARK in value:
        return None
    if "@" not in value:
        return value
    return _ADDRESS.sub(lambda found: found[0] if found[0].lower() in own else MASK, value)


def find_secret_fields(collection: Json) -> set[str]:
    """Return the fields of a collection that are never exported: passwords and keys."""
    return {field["name"] for field in collection["fields"] if field["type"] == "password"}
