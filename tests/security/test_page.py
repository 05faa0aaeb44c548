"""docs/security.md: the tests that it names exist."""

import re

import pytest

from gateway.dev.pocketbase import ROOT

_PAGE = ROOT / "docs" / "security.md"
_NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", _PAGE.read_text())))


@pytest.mark.parametrize("file", sorted({file for file, _ in _NAMED}))
def test_named_tests_exist(file: str) -> None:
    """A renamed test would leave a threat without its evidence."""
    defined = set(
        re.findall(r"^(?:async )?def (test_\w+)", (ROOT / file).read_text(), re.MULTILINE)
    )
    assert {name for found, name in _NAMED if found == file} <= defined


def test_each_threat_has_a_defence_and_a_test() -> None:
    """Each row of a table of threats names at least one test."""
    rows = [
        row
        for table in re.findall(r"^\| threat .*\n\|[-|]+\n((?:\|.*\n)+)", _PAGE.read_text(), re.M)
        for row in table.splitlines()
    ]
    assert len(rows) > 30
    for row in rows:
        threat, defence, evidence = (cell.strip() for cell in row.strip("|").split(" | "))
        assert threat
        assert defence
        assert "::test_" in evidence, row
