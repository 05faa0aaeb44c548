"""Parameters as Stripe's forms name them. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode


def encode_form(params: Mapping[str, Any]) -> str:
    """Return a form's text: ``line_items[0][price]=price_1&mode=payment``; None is left out."""
    # Addresses are full of what a form need not quote.
    return urlencode(list(_flatten(params)), safe="[]:/")


def _flatten(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _flatten(each, f"{name}[{key}]" if name else key)
    elif isinstance(value, list | tuple):
        for place, each in enumerate(value):
            yield from _flatten(each, f"{name}[{place}]")
    elif value is not None:
        yield name, str(value).lower() if isinstance(value, bool) else value
