"""Limits that hold for every request: metadata, lists and idempotency keys."""

from collections.abc import Iterator
from typing import Any

from stripe_simulator.errors import invalid
from stripe_simulator.snapshots import JSON

#: Stripe's limits of metadata.
KEYS, KEY_LENGTH, VALUE_LENGTH = 50, 40, 500


def check_metadata(params: JSON) -> None:
    """Refuse metadata that Stripe would not store, at any depth."""
    for path, given in _find_metadata(params, ""):
        if len(given) > KEYS:
            raise invalid(f"Metadata can have at most {KEYS} keys; you sent {len(given)}.", path)
        for key, value in given.items():
            name = f"{path}[{key}]"
            if not isinstance(value, str) or not key or "[" in key or "]" in key:
                raise invalid(f"Invalid metadata key: {key}", name)
            if len(key) > KEY_LENGTH:
                message = f"Metadata keys must be under {KEY_LENGTH} characters: {key}"
                raise invalid(message, name)
            if len(value) > VALUE_LENGTH:
                message = f"Metadata values can have up to {VALUE_LENGTH} characters."
                raise invalid(message, name)


def check_cursors(params: JSON) -> None:
    """Refuse a page with both `starting_after` and `ending_before`."""
    if params.get("starting_after") and params.get("ending_before"):
        raise invalid("You may only specify one of these: starting_after, ending_before.")


def _find_metadata(value: Any, path: str) -> Iterator[tuple[str, JSON]]:
    if isinstance(value, list):
        for place, entry in enumerate(value):
            yield from _find_metadata(entry, f"{path}[{place}]")
    elif isinstance(value, dict):
        for name, inner in value.items():
            here = f"{path}[{name}]" if path else name
            if name == "metadata" and isinstance(inner, dict):
                yield here, inner
            elif name != "payload":
                yield from _find_metadata(inner, here)
