"""Reads of query results in the hooks: goja returns undefined for a member that does not exist."""

import re
from pathlib import Path

import pytest

_HOOKS = Path(__file__).parents[2] / "pb_hooks"
#: A single result, and the rest of its function.
_RESULT = re.compile(
    r"const (?P<name>\w+) = new DynamicModel\(\{(?P<columns>[^}]*)\}\)"
    r"(?P<rest>.*?)(?=\n\}|\nfunction |\Z)",
    re.DOTALL,
)
_FILES = sorted(path for path in _HOOKS.rglob("*.js") if "new DynamicModel(" in path.read_text())


def _list_unknown(source: str) -> list[str]:
    unknown = []
    for result in _RESULT.finditer(source):
        columns = set(re.findall(r"(\w+)\s*:", result["columns"]))
        read = re.findall(rf"\b{result['name']}\.(\w+)", result["rest"])
        unknown += [f"{result['name']}.{member}" for member in read if member not in columns]
    return unknown


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name)
def test_results_are_read_by_their_columns(path: Path) -> None:
    """A member that is read from a query's result is a column of its model."""
    assert _list_unknown(path.read_text()) == []


def test_a_renamed_column_is_noticed() -> None:
    """A member of the former name is reported."""
    source = "const found = new DynamicModel({ count: 0 })\nreturn found.total\n}\n"
    assert _list_unknown(source) == ["found.total"]
