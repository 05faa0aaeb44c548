"""docs/reference.md describes every public name."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest

import gateway
from gateway import testing
from gateway.dev.pocketbase import ROOT
from gateway.dev.reference.api_sections import SECTIONS

_PAGE = (ROOT / "docs" / "reference.md").read_text()
_ENTRIES = dict(re.findall(r"^###+ `(.+)`\n\n((?:(?!##).*\n?)*)", _PAGE, re.MULTILINE))
#: Classes with which an app calls PocketBase.
_CLIENTS = (gateway.PocketBaseClient, gateway.Collection, gateway.Batch)


def _find(name: str) -> str:
    """Return the text below a name's heading."""
    heading = re.compile(rf"(?:await )?{re.escape(name)}(?:\(|$)")
    [text] = [text for title, text in _ENTRIES.items() if heading.match(title)][:1] or [""]
    return text


@pytest.mark.parametrize("name", [*gateway.__all__, *testing.__all__])
def test_a_public_name_is_described(name: str) -> None:
    """By a heading and at least a sentence."""
    assert re.search(r"[a-z]{2,} \S+ ?\S*", _find(name)), f"{name} is not in docs/reference.md"


def _list_methods() -> Iterator[str]:
    for client in _CLIENTS:
        for name, member in inspect.getmembers(client, inspect.isfunction):
            if not name.startswith("_") and _is_ours(member):
                yield member.__name__


def _is_ours(member: Any) -> bool:
    return str(member.__module__).startswith("gateway.")


@pytest.mark.parametrize("method", sorted(set(_list_methods())))
def test_a_method_of_the_client_is_described(method: str) -> None:
    """Under the class that has it."""
    pattern = re.compile(rf"(?:await )?\w+\.{method}(?:\(|$)")
    assert any(pattern.match(title) and text.strip() for title, text in _ENTRIES.items()), method


def test_sections_list_public_names_once() -> None:
    """A removed name is taken out; one without a section is under "Others"."""
    listed = [name for names in SECTIONS.values() for name in names]
    assert len(listed) == len(set(listed))
    assert set(listed) <= set(gateway.__all__)
