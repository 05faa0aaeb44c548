"""pb_hooks/lib/vocabulary.json is what the code has, and each fact in it has no second copy."""

import re
import tomllib

from gateway import vocabulary
from gateway.dev.pocketbase import ROOT
from gateway.dev.vocabulary import PATH, write_vocabulary

_STATUSES = re.compile(r"""["']canceled["'],\s*["']incomplete_expired["']|["']trialing["'],""")
_CODE = [
    path
    for folder, pattern in (("gateway", "*.py"), ("pb_hooks", "*.js"))
    for path in sorted((ROOT / folder).rglob(pattern))
]


def test_the_vocabulary_is_up_to_date() -> None:
    """A new migration or registry entry comes with the file."""
    advice = "vocabulary.json is out of date: run `make vocabulary` and commit what it writes."
    assert PATH.read_text() == write_vocabulary(), advice


def test_no_code_has_a_copy() -> None:
    """Metadata keys and the groups of a subscription's statuses are named, not repeated."""
    keys = re.compile("|".join(rf"\b{key}" for key in vocabulary.METADATA.values()))
    texts = {path: path.read_text() for path in _CODE}
    assert [path for path, text in texts.items() if keys.search(text)] == []
    assert [path for path, text in texts.items() if _STATUSES.search(text)] == []


def test_the_image_has_the_vocabulary() -> None:
    """The gateway's Dockerfile puts pb_hooks, with the file, where the wheel has it."""
    included = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    folder = included["targets"]["wheel"]["force-include"]["pb_hooks"]
    dockerfile = (ROOT / "docker" / "gateway.Dockerfile").read_text()
    assert f"COPY pb_hooks /app/{folder}\n" in dockerfile
