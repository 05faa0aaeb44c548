"""The generated documents are committed as the code has them."""

import pytest

from gateway.dev.pocketbase import ROOT
from gateway.dev.reference.documents import write_documents

_DOCUMENTS = write_documents()


@pytest.mark.parametrize("name", _DOCUMENTS)
def test_a_generated_document_is_up_to_date(name: str) -> None:
    """A change of the code that a document shows comes with the document."""
    path = ROOT / name
    committed = path.read_text() if path.exists() else ""
    advice = f"{name} is out of date: run `make docs` and commit what it writes."
    assert committed == _DOCUMENTS[name], advice
