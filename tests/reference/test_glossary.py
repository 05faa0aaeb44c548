"""docs/glossary.md defines the terms that documents and docstrings use."""

import re

import pytest

from gateway.dev.pocketbase import ROOT
from tests.reference.prose import read_docstrings, read_documents

_TERMS = re.findall(
    r"^\| ([a-z -]+) \| [^|]+\. \|$", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE
)
_STEMS = {"pruning": "prun", "vacancy": "vacanc"}


@pytest.fixture(scope="module")
def prose() -> str:
    """Every document except the glossary, and every docstring of the gateway."""
    texts = [each.text for each in read_documents() if each.path.name != "glossary.md"]
    texts += [each.text for each in read_docstrings() if each.path.parts[0] == "gateway"]
    return "\n".join(texts)


@pytest.mark.parametrize("term", _TERMS)
def test_a_term_is_in_use(term: str, prose: str) -> None:
    """A term that no document and no docstring uses leaves the glossary."""
    words = _STEMS.get(term, term).split()
    assert re.search(r"\b" + r"[\s-]".join(words), prose, re.IGNORECASE)


def test_every_row_is_one_sentence() -> None:
    """Each row has a term in lower case and a sentence."""
    text = (ROOT / "docs/glossary.md").read_text()
    rows = [
        row for row in text.splitlines() if row.startswith("| ") and row != "| term | meaning |"
    ]
    assert len(rows) == len(_TERMS)
    assert [row for row in rows if re.search(r"\. [A-Z]", row)] == []
