"""Databases from before the names of collections were settings: renamed with their data first.

`former/` has the migrations of that time, unchanged.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from gateway.dev.pocketbase import PocketBaseProcess
from gateway.dev.stack import Stack
from gateway.vocabulary import INTERNAL_COLLECTIONS
from tests.migrate import list_collections, migrate, migrate_project
from tests.migrations.test_migrations import read_collections

_FORMER = Path(__file__).parent / "former"
_FILES = sorted(path.name for path in _FORMER.glob("*.js"))
#: Collections that no former release had.
_ADDED = (
    "collection_rules",
    "effects",
    "erasures",
    "exports",
    "paused_handlers",
    "payer_changes",
    "schedules",
    "work",
)
#: Former names by today's.
_NAMES = {
    f"gateway_{key}": {
        "reconciliations": "stripe_reconciliations",
        "transforms": "gateway_transforms",
        "write_probe": "gateway_write_probe",
        "pending_checkouts": "checkout_attempts",
    }.get(key, key)
    for key in INTERNAL_COLLECTIONS
    if key not in _ADDED
}
_KEEP = "INSERT INTO {} (id) VALUES ('kept00000000001')"
_READ = "SELECT id FROM {}"


@pytest.fixture
def former(fresh_stack: Callable[..., Stack], tmp_path: Path) -> Callable[[int], Stack]:
    """Parts with a database that the first `count` former migrations have made; not running."""

    def make(count: int) -> Stack:
        stack = fresh_stack(start=False)
        stack.pocketbase.ensure_superuser()
        folder, hooks = tmp_path / "migrations", tmp_path / "no_hooks"
        folder.mkdir()
        hooks.mkdir()
        for name in _FILES[:count]:
            (folder / name).symlink_to(_FORMER / name)
        given = {"--migrationsDir": folder, "--hooksDir": hooks}
        command = stack.pocketbase.command
        stack.pocketbase.command = tuple(
            f"{part.split('=')[0]}={given.get(part.split('=')[0], part.partition('=')[2])}"
            if part.split("=")[0] in given
            else part
            for part in command
        )
        migrate(stack.pocketbase, "up")
        stack.pocketbase.command = command
        return stack

    return make


def _execute(pocketbase: PocketBaseProcess, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(pocketbase.data_dir / "data.db")) as database:
        rows = database.execute(sql).fetchall()
        database.commit()
    return rows


def _start(pocketbase: PocketBaseProcess) -> None:
    pocketbase.start()
    pocketbase.wait_healthy()


def test_a_database_of_former_names_becomes_one_of_today(
    former: Callable[[int], Stack], fresh_stack: Callable[..., Stack]
) -> None:
    """Rows stay, and collections, columns, indexes and rules are those of a new database."""
    stack = former(len(_FILES))
    for former_name in _NAMES.values():
        if former_name != "gateway_write_probe":
            _execute(stack.pocketbase, _KEEP.format(former_name))
    _start(stack.pocketbase)
    for name in _NAMES:
        if name != "gateway_write_probe":
            assert _execute(stack.pocketbase, _READ.format(name)) == [("kept00000000001",)]
    new = fresh_stack(start=False).pocketbase
    new.ensure_superuser()
    _start(new)
    assert _sort_fields(read_collections(stack.pocketbase)) == _sort_fields(read_collections(new))

    stack.simulator.start()
    stack.gateway.start()
    stack.gateway.wait_ready()


def _sort_fields(collections: dict[str, dict[str, object]]) -> dict[str, object]:
    """Leave out the order of fields and the quotes of indexes."""
    for found in collections.values():
        fields, indexes = found["fields"], found["indexes"]
        assert isinstance(fields, list)
        assert isinstance(indexes, list)
        found["fields"] = sorted(fields, key=lambda field: str(field["name"]))
        found["indexes"] = sorted(index.replace("`", "") for index in indexes)
    return dict(collections)


@pytest.mark.parametrize("count", range(1, len(_FILES)))
def test_a_database_that_stopped_half_way_goes_on(
    former: Callable[[int], Stack], count: int
) -> None:
    """After any of the former migrations, today's lead to every collection."""
    pocketbase = former(count).pocketbase
    _start(pocketbase)
    names = {collection["name"] for collection in list_collections(pocketbase)}
    assert {*_NAMES} - names == {"gateway_write_probe"}
    assert not names & {former for name, former in _NAMES.items() if name != former}


def test_the_former_names_come_back(former: Callable[[int], Stack]) -> None:
    """Taken back, the former release finds its collections; taken back to the end, none is left."""
    pocketbase = former(len(_FILES)).pocketbase
    said = migrate(pocketbase, "up")
    assert "Applied 1763855990_collection_names.js" in said
    newer = said.count("Applied ")
    _execute(pocketbase, "INSERT INTO gateway_trials (id) VALUES ('kept00000000001')")
    migrate(pocketbase, "down", str(newer))
    assert _execute(pocketbase, "SELECT id FROM trials") == [("kept00000000001",)]
    migrate(pocketbase, "down", str(len(_FILES)))
    found = _execute(pocketbase, "SELECT name FROM _collections WHERE NOT system")
    assert found == [("users",)]


def test_a_prefix_is_refused_where_none_was(former: Callable[[int], Stack]) -> None:
    """The mirror of an installed database keeps its names; PocketBase says so and stops."""
    pocketbase = former(len(_FILES)).pocketbase
    pocketbase.env["GATEWAY_COLLECTION_PREFIX"] = "shop_"
    pocketbase.start()
    assert pocketbase.wait(20) not in (None, 0)
    assert "remove GATEWAY_COLLECTION_PREFIX" in "\n".join(pocketbase.read_last_lines())


def test_a_project_keeps_its_own_collection_of_a_former_name(
    former: Callable[[int], Stack],
) -> None:
    """A `follow_ups` that the project made itself is not renamed."""
    count = _FILES.index("1763856011_follow_ups.js")
    pocketbase = former(count).pocketbase
    own = (
        'migrate((app) => app.save(new Collection({ name: "follow_ups", type: "base" })), () => {})'
    )
    migrate_project(pocketbase, "1700000000_own.js", own)
    _start(pocketbase)
    names = {collection["name"] for collection in list_collections(pocketbase)}
    assert "follow_ups" in names


def test_views_on_a_renamed_collection_go_on(former: Callable[[int], Stack]) -> None:
    """A view and a rule of the project's own read the collection under its new name."""
    pocketbase = former(len(_FILES)).pocketbase
    _execute(
        pocketbase, "INSERT INTO checkout_keys (id, fingerprint) VALUES ('kept00000000001', 'x')"
    )
    migrate_project(
        pocketbase,
        "1763900000_own.js",
        'migrate((app) => app.save(new Collection({ name: "keys", type: "view", listRule: "", '
        'viewQuery: "SELECT checkout_keys.id, checkout_keys.since FROM checkout_keys" })),'
        " () => {})",
    )
    _start(pocketbase)
    answer = httpx.get(f"{pocketbase.url}/api/collections/keys/records", trust_env=False)
    assert [row["id"] for row in answer.json()["items"]] == ["kept00000000001"]
    [view] = [each for each in list_collections(pocketbase) if each["name"] == "keys"]
    assert "FROM gateway_checkout_keys" in view["viewQuery"]
