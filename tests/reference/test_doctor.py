"""docs/doctor.md lists exactly the checks of `gateway doctor`."""

import re

from gateway.dev.pocketbase import ROOT
from gateway.doctor.registry import CHECKS

_ROW = re.compile(r"^\| `(\w+\.\w+)` \| \S", re.MULTILINE)


def test_the_page_lists_all_checks() -> None:
    """Each check has a row, in the order of the command's table."""
    text = (ROOT / "docs" / "doctor.md").read_text()
    assert _ROW.findall(text) == list(CHECKS)


def test_titles_are_short_assumptions() -> None:
    """A title has a few words, and is not a sentence with a full stop."""
    for check in CHECKS.values():
        assert len(check.title) < 72, check.id
        assert not check.title.endswith("."), check.id
