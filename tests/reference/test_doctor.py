"""docs/doctor.md describes the checks of `gateway doctor`; limits fit those of other parts."""

import json
import re

from gateway.dev.pocketbase import ROOT
from gateway.doctor.check import CheckResult, CheckStatus
from gateway.doctor.checks.storage import HIGH_WAL_BYTES
from gateway.doctor.registry import CHECKS
from gateway.doctor.report import build_document
from gateway.doctor.run import CheckedRow

#: A page of the log with its header.
_PAGE_BYTES = 4096 + 24
_ROW = re.compile(r"^\| `(\w+\.\w+)` \| \S", re.MULTILINE)


def test_the_page_lists_all_checks() -> None:
    """Each check has a row, in the order of the command's table."""
    text = (ROOT / "docs" / "doctor.md").read_text()
    assert _ROW.findall(text) == list(CHECKS)


def test_the_limit_of_the_log_is_above_that_of_a_reconcile() -> None:
    """A reconcile lets the write-ahead log grow to its limit, which is not a finding."""
    text = (ROOT / "pb_hooks" / "lib" / "database" / "checkpoints.js").read_text()
    pages = re.findall(r"^const DEFERRED_PAGES = (\d+)$", text, re.MULTILINE)
    assert int(pages[0]) * _PAGE_BYTES < HIGH_WAL_BYTES


def test_the_counts_of_the_example_are_those_of_all_checks() -> None:
    """The JSON example of the page counts each check once, and has the command's members."""
    text = (ROOT / "docs" / "doctor.md").read_text()
    example = json.loads(text.partition("```json")[2].partition("```")[0])
    assert sum(example["counts"].values()) == len(CHECKS)
    [shown] = example["checks"]
    check = CHECKS[shown["id"]]
    assert shown["title"] == check.title
    result = CheckResult(CheckStatus(shown["status"]), shown["found"], shown["fix"])
    document = build_document([CheckedRow(check, result)])
    assert document["checks"] == [shown]
    assert document["ok"] == example["ok"]
    assert {*document["counts"]} == {*example["counts"]}


def test_titles_are_short_assumptions() -> None:
    """A title has a few words, and is not a sentence with a full stop."""
    for check in CHECKS.values():
        assert len(check.title) < 72, check.id
        assert not check.title.endswith("."), check.id
