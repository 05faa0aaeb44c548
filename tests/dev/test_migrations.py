"""A team's own migrations beside this repository's."""

from collections.abc import Callable
from pathlib import Path

import httpx

from gateway.dev.migrations import link_migrations
from gateway.dev.pocketbase import ROOT
from tests.dev.conftest import Run


def _read(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in folder.iterdir()}


def test_one_folder_holds_all(tmp_path: Path) -> None:
    """PocketBase finds the migrations of every source, and those of today at every start."""
    ours, own, linked = tmp_path / "ours", tmp_path / "own", tmp_path / "linked"
    for folder, name in ((ours, "1_a.js"), (own, "2_b.js")):
        folder.mkdir()
        (folder / name).write_text(name)
    link_migrations(linked, (ours, own))
    assert _read(linked) == {"1_a.js": "1_a.js", "2_b.js": "2_b.js"}
    (own / "2_b.js").rename(own / "3_c.js")
    link_migrations(linked, (ours, own))
    assert _read(linked) == {"1_a.js": "1_a.js", "3_c.js": "2_b.js"}


def test_what_the_dashboard_wrote_is_the_teams(tmp_path: Path) -> None:
    """A migration that PocketBase wrote goes to the team's folder at the next start."""
    ours, own, linked = tmp_path / "ours", tmp_path / "own", tmp_path / "linked"
    for folder in (ours, own):
        folder.mkdir()
    link_migrations(linked, (ours, own))
    (linked / "4_by_dashboard.js").write_text("new")
    link_migrations(linked, (ours, own))
    assert _read(own) == _read(linked) == {"4_by_dashboard.js": "new"}
    assert _read(ours) == {}


_NOTES = """\
migrate((app) => app.save(new Collection({ name: "notes", type: "base", listRule: "" })),
  (app) => app.delete(app.findCollectionByNameOrId("notes")))
"""


def test_a_run_takes_own_migrations(start_run: Callable[..., Run], tmp_path: Path) -> None:
    """Collections of POCKETBASE_MIGRATIONS' folders exist after `make run`."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "1764300000_notes.js").write_text(_NOTES)
    run = start_run(POCKETBASE_MIGRATIONS=str(own))
    run.wait_up()
    url = f"{run.url('pocketbase')}/api/collections/notes/records"
    assert httpx.get(url, trust_env=False).json()["items"] == []
    assert not (ROOT / "pb_migrations" / "1764300000_notes.js").exists()


def test_a_folder_that_is_not_there_is_named(start_run: Callable[..., Run]) -> None:
    """A wrong POCKETBASE_MIGRATIONS is one sentence, before anything starts."""
    run = start_run(POCKETBASE_MIGRATIONS="examples/nowhere")
    assert run.wait() == 1
    assert "POCKETBASE_MIGRATIONS names" in run.errors
    assert "Traceback" not in run.errors
