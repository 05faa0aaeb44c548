"""pb_hooks/lib/vocabulary.json is what the code has, and each fact in it has no second copy."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

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


def test_a_wheel_has_the_vocabulary(tmp_path: Path) -> None:
    """The gateway starts from an installed package, which has no pb_hooks beside it."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    code = "from gateway.vocabulary import HOOKS_VERSION; print(HOOKS_VERSION)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path / "installed",
        check=True,
        capture_output=True,
        text=True,
    )
    assert int(done.stdout) == vocabulary.HOOKS_VERSION


def test_the_image_has_the_vocabulary() -> None:
    """The gateway's Dockerfile puts the file where the wheel has it."""
    included = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    [(source, target)] = included["targets"]["wheel"]["force-include"].items()
    dockerfile = (ROOT / "docker" / "gateway.Dockerfile").read_text()
    assert f"COPY {source} /app/{target}\n" in dockerfile
