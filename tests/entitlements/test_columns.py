"""Entitlements are recomputed when a column changes that they depend on, and only then."""

import json
import sqlite3
from contextlib import closing
from secrets import token_hex
from typing import Any

import httpx
import pytest

from gateway.dev.stack import Stack
from gateway.ids import record_id
from gateway.mirror.registry import BY_COLLECTION, REGISTRY
from gateway.vocabulary import COLLECTIONS
from tests.delivery import Json
from tests.entitlements.purchases import Purchases

_OWNED = [each.collection for each in REGISTRY if each.owner]
#: Identity, order and owner: a new owner recomputes the entitlements of both.
_KEYS = {"stripe_id", "version", "user", "organization", "customer"}
#: Another value by the type of a column; dates have the type of texts.
_OTHER: dict[str, Any] = {
    "TEXT": "2031-01-01 00:00:00.000Z",
    "NUMERIC": 7,
    "BOOLEAN": True,
    "JSON": "[{}]",
}


class Rows:
    """Writes rows of one customer past the gateway, and shows whether that recomputes."""

    def __init__(
        self, stack: Stack, http: httpx.AsyncClient, token: str, purchases: Purchases
    ) -> None:
        self._url = f"{stack.pocketbase.url}/api/gateway/commit"
        self._file = stack.pocketbase.data_dir / "data.db"
        self._http, self._token, self._till = http, token, purchases
        self._second = 0

    def types(self, collection: str) -> dict[str, str]:
        """The SQL type of each column."""
        with closing(sqlite3.connect(self._file, timeout=10)) as database:
            rows = database.execute(f"PRAGMA table_info({collection})").fetchall()
        return {name: kind.split()[0] for _, name, kind, *_ in rows}

    async def write(self, collection: str, values: Json, *, again: bool = False) -> bool:
        """Write a row whose newest state this is; returns whether that recomputes."""
        with closing(sqlite3.connect(self._file, timeout=10)) as database, database:
            database.execute("DELETE FROM entitlements WHERE user = ?", [self._till.user])
        self._second += not again
        version = [0, self._second, self._second, 1, f"evt_{self._second}"]
        row = {
            "collection": collection,
            "id": values["id"],
            "stripe_id": values["stripe_id"],
            "customer": values.get("customer", ""),
            "version": version,
            "again": again,
        }
        head = json.dumps({"events": [], "rows": [row], "claims": []})
        # The third text is the Stripe object; empty, it keeps the stored one.
        body = f"{head}\x1e{json.dumps(values | {'version': json.dumps(version)})}\x1e"
        headers = {"Authorization": self._token}
        answer = await self._http.post(self._url, content=body.encode(), headers=headers)
        assert answer.status_code == 200, answer.text
        return bool(await self._till.read())


@pytest.fixture
def rows(stack: Stack, http: httpx.AsyncClient, superuser_token: str, purchases: Purchases) -> Rows:
    """Rows of the buyer."""
    return Rows(stack, http, superuser_token, purchases)


async def _subscribe(purchases: Purchases) -> None:
    await purchases.subscribe(await purchases.add_product(features="pro"))


def _build_row(collection: str, purchases: Purchases, charge: str) -> Json:
    stripe_id = f"obj_{token_hex(8)}"
    values = {"id": record_id(stripe_id), "stripe_id": stripe_id}
    owner = BY_COLLECTION[collection].owner
    assert owner
    if owner.names_customer:
        return values | {"customer": record_id(purchases.customer["id"])}
    # The row takes its owner from a parent, whichever kind it has.
    return values | {parent.column: record_id(charge) for parent in owner.parents}


@pytest.mark.parametrize("collection", _OWNED)
async def test_each_listed_column_alone_recomputes(
    collection: str, rows: Rows, purchases: Purchases
) -> None:
    """A changed column recomputes if the registry lists it, and costs nothing otherwise."""
    await _subscribe(purchases)
    parent = f"obj_{token_hex(8)}"
    for kind in ("charges", "payments", "invoices"):
        identity = {"id": record_id(parent), "stripe_id": parent}
        await rows.write(kind, identity | {"customer": record_id(purchases.customer["id"])})
    values = _build_row(collection, purchases, parent)
    listed = set(BY_COLLECTION[collection].entitlement_columns) - _KEYS
    assert await rows.write(collection, values) is bool(listed), "a new row"
    assert not await rows.write(collection, values), "the same row"
    types = rows.types(collection)
    recomputing = set()
    for column in sorted(COLLECTIONS[collection] - _KEYS):
        if await rows.write(collection, values | {column: _OTHER[types[column]]}):
            recomputing.add(column)
        await rows.write(collection, values)  # Its parent again.
    assert recomputing == listed


async def test_a_replay_recomputes(rows: Rows, purchases: Purchases) -> None:
    """A replayed event recomputes although its row stays the same, so that new settings apply."""
    await _subscribe(purchases)
    values = _build_row("subscriptions", purchases, "")
    await rows.write("subscriptions", values)
    assert not await rows.write("subscriptions", values)
    assert await rows.write("subscriptions", values, again=True)
