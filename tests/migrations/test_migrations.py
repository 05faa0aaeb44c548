"""The schema of pb_migrations/, and the way down of each."""

from collections.abc import Callable
from typing import Any

from gateway.dev.pocketbase import ROOT, PocketBaseProcess
from gateway.dev.stack import Stack
from tests.migrate import list_collections, migrate
from tests.migrations.test_rules import ALL

#: Entitlements are computed, not mirrored.
MIRRORS = [name for name in ALL if name != "entitlements"]
_MIGRATIONS = sorted(path.name for path in (ROOT / "pb_migrations").glob("*.js"))


def read_collections(pocketbase: PocketBaseProcess) -> dict[str, Any]:
    """The collections of a running PocketBase, by name, without ids and times."""
    collections = list_collections(pocketbase)
    names = {collection["id"]: collection["name"] for collection in collections}
    return {
        collection["name"]: {
            "fields": [_describe(field, names) for field in collection["fields"]],
            "indexes": sorted(collection["indexes"]),
            "rules": {key: value for key, value in collection.items() if key.endswith("Rule")},
        }
        for collection in collections
        if not collection["system"]
    }


def _describe(field: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """A field, with the collection that it points to by name."""
    plain = {key: value for key, value in field.items() if key not in ("id", "collectionId")}
    return plain | {"to": names.get(field.get("collectionId", ""))}


def test_every_mirror_has_one_row_a_stripe_object(stack: Stack) -> None:
    """All collections exist, and each that mirrors has a unique index on `stripe_id`."""
    found = read_collections(stack.pocketbase)
    assert set(ALL) <= set(found)
    for name in MIRRORS:
        indexes = [index.replace("`", "") for index in found[name]["indexes"]]
        unique = f"ON {name} (stripe_id)"
        assert any("UNIQUE" in index and index.endswith(unique) for index in indexes), name


def test_relations_name_collections_that_exist(stack: Stack) -> None:
    """Every relation leads to a collection, and none deletes its row with what it names."""
    found = read_collections(stack.pocketbase)
    for name in MIRRORS:
        for field in found[name]["fields"]:
            if field["type"] == "relation":
                assert field["to"] in found, f"{name}.{field['name']}"
                assert not field["cascadeDelete"]
                assert not field["required"]


def test_each_migration_can_be_taken_back_and_applied_again(
    fresh_stack: Callable[..., Stack],
) -> None:
    """One by one down to PocketBase's own collections, and up again to the same ones as before."""
    pocketbase = fresh_stack(start=False).pocketbase
    pocketbase.ensure_superuser()
    pocketbase.start()
    pocketbase.wait_healthy()
    before = read_collections(pocketbase)
    pocketbase.stop()

    for name in reversed(_MIGRATIONS):
        assert f"Reverted {name}" in migrate(pocketbase, "down", "1")
    restore = pocketbase.command
    empty = pocketbase.data_dir.parent / "no_migrations"
    empty.mkdir()
    pocketbase.command = tuple(
        f"--migrationsDir={empty}" if part.startswith("--migrationsDir") else part
        for part in restore
    )
    pocketbase.start()
    pocketbase.wait_healthy()
    assert set(read_collections(pocketbase)) == {"users"}

    pocketbase.command = restore
    pocketbase.restart()
    assert read_collections(pocketbase) == before
