"""`python -m gateway.dev.vocabulary`: update pb_hooks/lib/vocabulary.json.

Python and the hooks share this file. Its statuses, metadata keys, hooks version and internal
collections are edited by hand; the rest is derived: the migrations from their folder, collections
and columns from a PocketBase that has run them, and the mirror from the registry.
"""

import json
import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gateway.dev.pocketbase import ROOT, find_binary
from gateway.mirror.registry import REGISTRY

Json = dict[str, Any]

PATH = ROOT / "pb_hooks" / "lib" / "vocabulary.json"
_MIGRATIONS = ROOT / "pb_migrations"
#: Names from which the keys are derived: no key has this prefix.
_USERS = "users"
_INTERNAL = "internal_"
_NAMES = {
    "GATEWAY_COLLECTION_PREFIX": "",
    "GATEWAY_INTERNAL_COLLECTION_PREFIX": _INTERNAL,
    "GATEWAY_AUTH_COLLECTION": _USERS,
}


def write_vocabulary() -> str:
    """Return the text that the file must have."""
    stored = json.loads(PATH.read_text())
    derived = {
        "migrations": sorted(path.name for path in _MIGRATIONS.glob("*.js")),
        "mirror": _describe_mirror(),
        "collections": _read_collections(),
    }
    return json.dumps(stored | derived, indent=2) + "\n"


def _describe_mirror() -> Json:
    """Return the parts of the registry that pb_hooks/lib/mirror/owners.js and payers.js use."""
    owners = {each.collection: each.owner for each in REGISTRY if each.owner}
    parents = {
        name: [[parent.column, parent.collection] for parent in owner.parents]
        for name, owner in owners.items()
        if owner.parents
    }
    are_parents = {collection for listed in parents.values() for _, collection in listed}
    collections = [each.collection for each in REGISTRY]
    return {
        "owned": sorted(owners, key=lambda name: owners[name].move_order),
        "parents": parents,
        "nameless": [name for name, owner in owners.items() if not owner.names_customer],
        "saved_first": ["customers", *(name for name in collections if name in are_parents)],
        "entitlement_columns": {
            each.collection: list(each.entitlement_columns)
            for each in REGISTRY
            if each.entitlement_columns
        },
    }


def _read_collections() -> dict[str, list[str]]:
    """Return the columns (without ``id``) of each collection of the migrations, by its key."""
    with TemporaryDirectory() as folder:
        _migrate(Path(folder))
        with closing(sqlite3.connect(Path(folder) / "data.db")) as database:
            rows = database.execute(
                "SELECT name, fields FROM _collections WHERE NOT system"
            ).fetchall()
    columns = {
        name.removeprefix(_INTERNAL): [
            field["name"] for field in json.loads(fields) if field["name"] != "id"
        ]
        for name, fields in rows
        if name != _USERS
    }
    return dict(sorted(columns.items()))


def _migrate(data: Path) -> None:
    subprocess.run(
        [
            find_binary(),
            "migrate",
            "up",
            f"--dir={data}",
            f"--migrationsDir={_MIGRATIONS}",
            f"--hooksDir={PATH.parent.parent}",
            "--hooksWatch=false",
            "--automigrate=false",
        ],
        env={**os.environ, **_NAMES},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=True,
    )


def main() -> None:
    """Write the file if it has changed."""
    text = write_vocabulary()
    if PATH.read_text() != text:
        PATH.write_text(text)
        print(f"{PATH.relative_to(ROOT)} was updated.")


if __name__ == "__main__":
    main()
