"""The commands and files that CONTRIBUTING.md names exist."""

import re

import pytest

from gateway.dev.pocketbase import ROOT

_TEXT = (ROOT / "CONTRIBUTING.md").read_text()
_TARGETS = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[0].split()
_PATH = re.compile(r"`((?:[\w.-]+/)*[\w.-]+/|(?:[\w.-]+/)+[\w.-]+\.\w+)`")


def test_every_make_target_exists() -> None:
    """`make check` and so on are in the Makefile."""
    named = re.findall(r"\bmake ([a-z ]+)", " ".join(re.findall(r"`[^`]*`|^make.*$", _TEXT, re.M)))
    targets = {target for names in named for target in names.split()}
    assert targets >= {"check", "docs", "vocabulary", "lock", "lint", "types", "test"}
    assert targets - set(_TARGETS) - {"what"} == set()


@pytest.mark.parametrize("path", sorted(set(_PATH.findall(_TEXT))))
def test_every_path_exists(path: str) -> None:
    """Folders end with a slash."""
    assert path == ".local/" or (ROOT / path).exists()


def test_ci_runs_what_the_page_says() -> None:
    """In `.ci/run`, as `make check` does."""
    script = (ROOT / ".ci/run").read_text()
    [command] = re.findall(r"^make --keep-going (.*) <", script, re.MULTILINE)
    assert f"make {command}" in _TEXT
    [check] = re.findall(r"^check: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert check == command


def test_every_generated_file_is_listed() -> None:
    """The files of `make docs`, from its own table."""
    from gateway.dev.reference.documents import write_documents

    assert [name for name in write_documents() if f"`{name}`" not in _TEXT] == []
