"""docs/architecture.md shows the layers that import-linter checks."""

import re
import tomllib

from gateway.dev.pocketbase import ROOT

_ROW = re.compile(r"^\| (`[^|]+`) \|", re.MULTILINE)


def test_the_package_table_is_the_contract() -> None:
    """Every layer has a row in the table, in the same order."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    text = (ROOT / "docs/architecture.md").read_text()
    table = text[text.index("## Packages") : text.index("## Hooks")]
    rows = [set(re.findall(r"`([^`]+)`", row)) for row in _ROW.findall(table)]
    assert rows == [set(layer.split(" | ")) for layer in layers]
