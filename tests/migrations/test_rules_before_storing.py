"""Rules that the dashboard changed before rules were stored: marked for `gateway doctor`."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing

from gateway.dev.pocketbase import PocketBaseProcess
from gateway.dev.stack import Stack
from tests.migrate import migrate, migrate_before

_STORING = "1763856270_collection_rules.js"
#: Rules contain names of collections.
_NAMES = {
    "GATEWAY_COLLECTION_PREFIX": "shop_",
    "GATEWAY_INTERNAL_COLLECTION_PREFIX": "internal_",
}


def _read_marked(pocketbase: PocketBaseProcess, table: str) -> Mapping[str, dict[str, object]]:
    """Return the stored rules of marked collections, by the collection's name."""
    sql = f"SELECT c.name, r.rules FROM {table} r JOIN _collections c ON c.id = r.collection"  # noqa: S608
    with closing(sqlite3.connect(pocketbase.data_dir / "data.db")) as database:
        found = {name: json.loads(text) for name, text in database.execute(sql)}
    return {name: rules for name, rules in found.items() if "released" in rules}


def test_rules_opened_before_are_marked(fresh_stack: Callable[..., Stack]) -> None:
    """Opened and unhidden ones are marked, those of the migrations are not."""
    pocketbase = fresh_stack(start=False, **_NAMES).pocketbase
    pocketbase.ensure_superuser()
    migrate(pocketbase, "up")
    assert not _read_marked(pocketbase, "internal_collection_rules")
    migrate_before(pocketbase, _STORING)
    with closing(sqlite3.connect(pocketbase.data_dir / "data.db")) as database, database:
        database.execute("UPDATE _collections SET listRule = '' WHERE name = 'shop_customers'")
        database.execute(
            "UPDATE _collections SET fields = replace(fields, ?, ?) WHERE name = 'shop_charges'",
            ('"hidden":true', '"hidden":false'),
        )
    migrate(pocketbase, "up")
    marked = _read_marked(pocketbase, "internal_collection_rules")
    assert {*marked} == {"shop_charges", "shop_customers"}
    assert marked["shop_customers"]["rules"]["listRule"] == ""
    assert "auth" in marked["shop_customers"]["released"]["rules"]["listRule"]
    assert "stripe_object" in marked["shop_charges"]["released"]["hidden"]
