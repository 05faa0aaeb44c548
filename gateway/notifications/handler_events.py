"""The names that a handler can subscribe to: Stripe's event types, patterns and domain events."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import get_args

import stripe

from gateway.notifications.domain_events import DOMAIN
from gateway.notifications.kinds import KINDS

#: The event types of this release of Stripe's SDK, except v2 types, which only name their object.
STRIPE_TYPES: frozenset[str] = frozenset(
    type for type in get_args(stripe.Event.__annotations__["type"]) if not type.startswith("v2.")
)


#: Domain events of PocketBase's rows, whatever changes them (pb_hooks/lib/effects/triggers.js).
ROW_EVENTS = ("entitlement.gained", "entitlement.lost")
#: All names of domain events, including the kinds of notifications.
DOMAIN_EVENTS = tuple(dict.fromkeys([*DOMAIN, *(kind for kind, _ in KINDS.values()), *ROW_EVENTS]))


def types_of(names: Iterable[str]) -> frozenset[str]:
    """Return the Stripe event types that can match these names."""
    wanted = set(names)
    of_kinds = {type for type, (kind, _) in KINDS.items() if kind in wanted}
    of_domain = {type for name in wanted & DOMAIN.keys() for type in DOMAIN[name]}
    return frozenset(of_kinds | of_domain | (wanted & STRIPE_TYPES))


def expand_names(names: Iterable[str]) -> frozenset[str]:
    """Return the names with patterns expanded: ``invoice.*`` is every type with that prefix.

    Raises:
        ValueError: a type or domain event does not exist, or there are no names.
    """
    found: set[str] = set()
    for name in names:
        found |= _expand(name)
    if not found:
        raise ValueError("a handler needs at least one event type")
    return frozenset(found)


def _expand(name: str) -> set[str]:
    if name in STRIPE_TYPES or name in DOMAIN_EVENTS:
        return {name}
    if name == "*":
        return set(STRIPE_TYPES)
    if name.endswith(".*"):
        found = {type for type in STRIPE_TYPES if type.startswith(name[:-1])}
        found |= {each for each in DOMAIN_EVENTS if each.startswith(name[:-1])}
        if found:
            return found
    close = get_close_matches(name, [*STRIPE_TYPES, *DOMAIN_EVENTS], 1)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise ValueError(f"there is no event type {name!r}{hint}")
