"""Customers with a PocketBase user, their subscriptions, and the expected entitlements."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path
from typing import Any

from bench.events import PERIOD_SECONDS, PRODUCTS, START, State, Subscriptions, product_of

Json = dict[str, Any]

#: The numbers of subscriptions per customer, in turn.
_SHARES = (1, 2, 3, 4)
_QUANTITY = 3
_GRACE, _LEEWAY = timedelta(days=7), timedelta(days=1)


def customer_of(place: int) -> int:
    """Return the number of a subscription's customer; customers have 1 to 4 subscriptions."""
    turn, rest = divmod(place, sum(_SHARES))
    ends = [sum(_SHARES[: number + 1]) for number in range(len(_SHARES))]
    return turn * len(_SHARES) + next(number for number, end in enumerate(ends) if rest < end)


def user_of(side: str, customer: int) -> str:
    """Return the record id of a customer's user."""
    return f"{side:0<8}{customer:07}"


def add_users(database: Path, side: str, subscriptions: int) -> None:
    """Insert the users, without the cost of hashing passwords."""
    users = [user_of(side, number) for number in range(customer_of(subscriptions - 1) + 1)]
    with closing(sqlite3.connect(database, timeout=10)) as connection, connection:
        connection.executemany(
            "INSERT INTO users (id, email, verified, tokenKey, password)"
            " VALUES (:id, :id || '@example.com', TRUE, :id || hex(randomblob(20)), 'none')",
            [{"id": user} for user in users],
        )


def opening_events(side: str, deliveries: Subscriptions) -> Iterator[bytes]:
    """Yield the events of products, prices, and customers with their users in metadata."""
    items = [
        *(_product(number, metadata) for number, metadata in enumerate(PRODUCTS)),
        *(_price(number) for number in range(len(PRODUCTS))),
        *(_customer(side, deliveries, n) for n in range(customer_of(deliveries.count - 1) + 1)),
    ]
    for number, item in enumerate(items):
        event = {
            "id": f"evt_0{deliveries.prefix}{number:010}",
            "object": "event",
            "type": f"{item['object']}.created",
            "created": START - 1,
            "data": {"object": item | {"created": START - 1}},
        }
        yield json.dumps(event).encode()


def _product(number: int, metadata: dict[str, str]) -> Json:
    product = {"id": f"prod_TTZ000000000000{number}", "object": "product", "active": True}
    return product | {"metadata": metadata}


def _price(number: int) -> Json:
    price = {"id": f"price_1SWbVdLkdIwHu7ix000{number}", "object": "price", "active": True}
    return price | {"product": f"prod_TTZ000000000000{number}", "type": "recurring", "metadata": {}}


def _customer(side: str, deliveries: Subscriptions, number: int) -> Json:
    metadata = {"pocketbase_user": user_of(side, number)}
    return {"id": deliveries.customer(number), "object": "customer", "metadata": metadata}


@dataclass(frozen=True, slots=True)
class Entitlement:
    """The columns of a row of ``entitlements``."""

    active: bool
    active_until: str
    limit: float
    sources: tuple[str, ...]


def expected_entitlements(
    side: str, deliveries: Subscriptions
) -> dict[tuple[str, str], Entitlement]:
    """Compute the entitlements from the newest events, by user and feature, independently."""
    grants: dict[tuple[str, str], list[tuple[datetime | None, float, str]]] = {}
    for place, (_, state) in deliveries.latest.items():
        for metadata in (PRODUCTS[product_of(place)], PRODUCTS[-1]):
            for feature, limit in _limits(metadata).items():
                key = user_of(side, deliveries.customer_of(place)), feature
                grant = _end(state), limit * _QUANTITY, deliveries.name(place)
                grants.setdefault(key, []).append(grant)
    return {key: _merge(listed) for key, listed in grants.items()}


def _limits(metadata: dict[str, str]) -> dict[str, float]:
    features = dict.fromkeys(metadata["features"].split(", "), inf)
    return features | (
        {"seats": float(metadata["limit_seats"])} if "limit_seats" in metadata else {}
    )


def _end(state: State) -> datetime | None:
    if state.status == "past_due":
        return datetime.fromtimestamp(state.starts, UTC) + _GRACE
    if state.status in ("active", "trialing"):
        return datetime.fromtimestamp(state.starts + PERIOD_SECONDS, UTC) + _LEEWAY
    return None


def _merge(grants: list[tuple[datetime | None, float, str]]) -> Entitlement:
    given = [(end, limit, source) for end, limit, source in grants if end]
    if not given:
        return Entitlement(False, "", 0, ())
    limit = sum(limit for _, limit, _ in given)
    until = max(end for end, _, _ in given).strftime("%Y-%m-%d %H:%M:%S.000Z")
    sources = tuple(sorted({source for _, _, source in given}))
    return Entitlement(True, until, 0 if limit == inf else limit, sources)


def stored_entitlements(database: Path) -> dict[tuple[str, str], Entitlement]:
    """Return the stored rows by user and feature."""
    query = 'SELECT user, feature, active, active_until, "limit", sources FROM entitlements'
    with closing(sqlite3.connect(database, timeout=10)) as connection:
        return {
            (user, feature): Entitlement(bool(active), until, limit, tuple(json.loads(sources)))
            for user, feature, active, until, limit, sources in connection.execute(query)
        }
