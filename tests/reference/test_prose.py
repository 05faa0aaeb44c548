"""Documents, docstrings and comments use the words of Stripe, PocketBase, FastAPI and HTTP."""

import re
from collections.abc import Iterator
from itertools import chain

import pytest

from tests.reference.prose import Passage, read_comments, read_docstrings, read_documents

#: Names that this project alone used for parts that have a common name.
_DROPPED = (
    "announcer",
    "clerk",
    "farewells?",
    "follow-ups?",
    "inbox",
    "judge[ds]?",
    "rehearse[ds]?",
    "settlement",
    "stamps?",
    "till",
    "upkeep",
    "verdicts?",
)
#: Phrases that take two readings; the noun or the active verb takes one.
_HABITS = (
    "anew",
    "everybody",
    "(?<!there )(?:is|are) no(?! longer)",
    "(?<!there )(?:is|are) to",
    "nobody",
    "somebody",
    "stands(?! for)",
    "whom",
)
#: Tests and migrations keep the prose of their time.
_FOLDERS = ("bench", "docker", "docs", "examples", "gateway", "pb_hooks", "stripe_simulator")
_CODE = re.compile(r"```.*?```|``.*?``|`[^`]*`", re.DOTALL)


def _read_passages() -> Iterator[Passage]:
    for each in chain(read_documents(), read_docstrings(), read_comments()):
        folder = each.path.parts[0] if len(each.path.parts) > 1 else "docs"
        if folder in _FOLDERS:
            yield each


def _find(words: tuple[str, ...]) -> list[str]:
    pattern = re.compile(rf"\b(?:{'|'.join(words)})\b", re.IGNORECASE)
    found = []
    for each in _read_passages():
        text = _CODE.sub("", each.text)
        for match in pattern.finditer(text):
            around = " ".join(text[max(0, match.start() - 40) : match.end() + 40].split())
            found.append(f"{each.path}: {around}")
    return found


@pytest.mark.parametrize("words", [_DROPPED, _HABITS], ids=["dropped names", "habits"])
def test_prose_is_plain(words: tuple[str, ...]) -> None:
    """No passage uses a dropped name, or a phrase that takes two readings."""
    found = _find(words)
    assert not found, "\n".join(found)
