"""Copies of JSON objects, and what an update replaced, as Stripe reports it.

Stripe's `data.previous_attributes` is partial: hashes are compared key by key, lists are
given whole, and a key that did not exist before appears as null.
"""

import marshal
from typing import Any, cast

JSON = dict[str, Any]


def snapshot(value: JSON) -> JSON:
    """Return an independent deep copy; marshal is several times faster than copy.deepcopy."""
    return cast(JSON, marshal.loads(marshal.dumps(value)))  # noqa: S302 - our own bytes


def previous_attributes(before: JSON, after: JSON) -> JSON:
    """Return the attributes of `before` that `after` replaced, in Stripe's partial form."""
    previous: JSON = {}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old == new and type(old) is type(new):
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            previous[key] = previous_attributes(old, new)
        else:
            previous[key] = old
    return previous


def restore(after: JSON, previous: JSON) -> JSON:
    """Return `after` with `previous` attributes put back: the object before the update."""
    before = dict(after)
    for key, old in previous.items():
        new = before.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            before[key] = restore(new, old)
        else:
            before[key] = old
    return before
