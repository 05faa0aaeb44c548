"""The layers that import-linter checks, and the names of classes."""

import ast
import re
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]
#: Errors of an HTTP status: the gateway's own answer, and in the public client PocketBase's.
_NAMED_TWICE = {"Forbidden", "NotFound", "RateLimited", "Unauthenticated", "Unavailable"}


def _read_contract() -> dict[str, Any]:
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text())
    [layers] = [
        each for each in project["tool"]["importlinter"]["contracts"] if each["type"] == "layers"
    ]
    return dict(layers)


def test_architecture_shows_the_layers_of_the_contract() -> None:
    """The table in docs/architecture.md has a row per layer, in the order of the contract."""
    text = (_ROOT / "docs" / "architecture.md").read_text()
    table = text.partition("| layer of `gateway/` | content |")[2].partition("\n\n")[0]
    rows = [re.findall(r"`(\w+)`", line.split("|")[1]) for line in table.splitlines()[2:]]
    assert rows == [layer.split(" | ") for layer in _read_contract()["layers"]]


def test_every_module_has_a_layer() -> None:
    """A new module of gateway/ fails the contract until it is placed in a layer."""
    contract = _read_contract()
    assert contract["containers"] == ["gateway"]
    assert contract["exhaustive"] is True
    assert "ignore_imports" not in contract


def test_class_names_are_unique() -> None:
    """No two modules of gateway/ define a class of the same name."""
    places: defaultdict[str, set[str]] = defaultdict(set)
    for path in (_ROOT / "gateway").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                places[node.name].add(str(path.relative_to(_ROOT)))
    doubled = {name: sorted(found) for name, found in places.items() if len(found) > 1}
    for name in _NAMED_TWICE:
        assert doubled.pop(name) == ["gateway/errors.py", "gateway/pocketbase/api/errors.py"]
    assert doubled == {}
