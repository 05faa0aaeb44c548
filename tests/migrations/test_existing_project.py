"""The gateway added to a PocketBase that is in use: taken names are reported before any change."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.dev.pocketbase import PocketBaseProcess
from gateway.dev.stack import Stack
from gateway.vocabulary import COLLECTIONS, CollectionNames
from tests.migrate import list_collections

_FIRST = "migrate((app) => {{ {} }}, () => {{}})"
_COLLECTION = 'app.save(new Collection({{ name: "{}", type: "base" }}))'


@pytest.fixture
def existing(
    fresh_stack: Callable[..., Stack], tmp_path: Path
) -> Callable[[str], PocketBaseProcess]:
    """A PocketBase with a project of its own: `existing("app.save(…)")`, not running."""

    def make(change: str) -> PocketBaseProcess:
        pocketbase = fresh_stack(start=False).pocketbase
        pocketbase.ensure_superuser()
        own = tmp_path / "own"
        own.mkdir()
        (own / "1700000000_own.js").write_text(_FIRST.format(change))
        with _without_gateway(pocketbase, own):
            pass  # PocketBase applies migrations before it is healthy.
        return pocketbase

    return make


@contextmanager
def _without_gateway(pocketbase: PocketBaseProcess, migrations: Path) -> Iterator[None]:
    """Run with a project's own migrations alone, and without the gateway's hooks."""
    command = pocketbase.command
    pocketbase.command = tuple(
        f"--migrationsDir={migrations}" if part.startswith("--migrationsDir") else part
        for part in command
        if not part.startswith("--hooksDir")
    )
    pocketbase.start()
    pocketbase.wait_healthy()
    yield
    pocketbase.stop()
    pocketbase.command = command


def _add_gateway(pocketbase: PocketBaseProcess) -> str:
    """Start with the gateway's migrations; return what PocketBase says when it ends."""
    pocketbase.start()
    assert pocketbase.wait(20) not in (None, 0)
    return "\n".join(pocketbase.read_last_lines())


@pytest.mark.parametrize("names", [("products",), ("organizations", "subscriptions"), ("Prices",)])
def test_taken_names_are_reported_in_one_sentence(
    existing: Callable[[str], PocketBaseProcess], names: tuple[str, ...]
) -> None:
    """Each name is listed, with what to do."""
    pocketbase = existing("; ".join(_COLLECTION.format(name) for name in names))
    said = _add_gateway(pocketbase)
    assert ", ".join(names) in said
    assert "rename yours" in said


@pytest.mark.parametrize(
    "change",
    [
        'app.delete(app.findCollectionByNameOrId("users"))',
        'const c = app.findCollectionByNameOrId("users"); c.name = "people"; app.save(c)',
        'app.delete(app.findCollectionByNameOrId("users")); ' + _COLLECTION.format("users"),
    ],
)
def test_a_project_without_users_is_told_to_make_it(
    existing: Callable[[str], PocketBaseProcess], change: str
) -> None:
    """Without an auth collection of that name, no purchase would be possible."""
    said = _add_gateway(existing(change))
    assert "auth collection named users" in said
    assert "sql: no rows" not in said


def test_nothing_is_changed_when_a_name_is_taken(
    existing: Callable[[str], PocketBaseProcess],
) -> None:
    """The project goes on as before without the gateway, and with it once the name is free."""
    pocketbase = existing(_COLLECTION.format("products"))
    _add_gateway(pocketbase)
    none = pocketbase.data_dir.parent / "none"
    none.mkdir()
    with _without_gateway(pocketbase, none):
        found = {item["name"] for item in list_collections(pocketbase) if not item["system"]}
    assert found == {"products", "users"}


def test_the_check_knows_every_collection(existing: Callable[[str], PocketBaseProcess]) -> None:
    """Each collection that the migrations make is reported where its name is taken."""
    names = {CollectionNames().of(key) for key in COLLECTIONS}
    said = _add_gateway(existing("; ".join(_COLLECTION.format(name) for name in names)))
    listed = said.split("of its own named ")[1].split(", and this project")[0]
    assert set(listed.split(", ")) == names
