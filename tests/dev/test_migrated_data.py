"""The databases that throwaway stacks begin with."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gateway.dev.pocketbase import PocketBaseProcess
from gateway.dev.stack import Stack
from gateway.pocketbase_files import MIGRATIONS


@pytest.fixture
def pocketbase(fresh_stack: Callable[..., Stack]) -> PocketBaseProcess:
    """One that was never started."""
    return fresh_stack(start=False).pocketbase


def _list_applied(pocketbase: PocketBaseProcess) -> set[str]:
    return set(_select(pocketbase, "SELECT file FROM _migrations"))


def _select(pocketbase: PocketBaseProcess, query: str) -> list[str]:
    with closing(sqlite3.connect(pocketbase.data_dir / "data.db")) as database, database:
        return [name for (name,) in database.execute(query)]


def test_a_copy_has_every_migration(
    pocketbase: PocketBaseProcess, fresh_stack: Callable[..., Stack]
) -> None:
    """Each stack has a copy of its own, and a folder that exists is left alone."""
    other = fresh_stack(start=False).pocketbase
    for each in (pocketbase, other):
        each.copy_migrated()
        assert _list_applied(each) >= {file.name for file in MIGRATIONS.glob("*.js")}
    _select(pocketbase, "DELETE FROM _migrations RETURNING file")
    assert _list_applied(other)
    pocketbase.copy_migrated()
    assert _list_applied(pocketbase) == set()


def test_passwords_are_hashed_quickly(pocketbase: PocketBaseProcess) -> None:
    """Tests sign up thousands of users."""
    pocketbase.copy_migrated()
    found = _select(pocketbase, "SELECT fields FROM _collections WHERE type = 'auth'")
    fields = [each for text in found for each in json.loads(text) if each["type"] == "password"]
    assert len(fields) >= 2
    assert {each["cost"] for each in fields} == {4}


def test_a_migration_that_fails_is_left_to_the_start(
    pocketbase: PocketBaseProcess, tmp_path: Path
) -> None:
    """There is no copy, so that PocketBase itself reports the failure."""
    (tmp_path / "1_fail.js").write_text('migrate(() => { throw new Error("no") })')
    pocketbase.command = tuple(
        f"--migrationsDir={tmp_path}" if part.startswith("--migrationsDir") else part
        for part in pocketbase.command
    )
    pocketbase.copy_migrated()
    assert not pocketbase.data_dir.exists()
