"""Files and modules that documents, docstrings and comments name exist."""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from gateway.dev.pocketbase import ROOT
from tests.reference.prose import (
    Passage,
    find_files,
    read_comments,
    read_docstrings,
    read_documents,
)

_SUFFIXES = ("py", "js", "md", "json", "toml", "html")
_PATH = re.compile(
    rf"(?<![\w./$}}:@<>*-])[\w.-]+(?:/[\w.-]+)+\.(?:{'|'.join(_SUFFIXES)})\b(?![/*])"
)
_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
_MODULE = re.compile(r"`gateway((?:\.[a-z_]+)+)")
_NAME = re.compile(r"(?<![\w./$}@<>*-])([a-z][\w-]*(?:\.pb)?\.(?:js|py))\b(?![/(])")
_ADDED = re.compile(r"^```\w+ (\S+)", re.MULTILINE)
#: Folders to which prose relates paths.
_BASES = ("", "gateway", "pb_hooks", "pb_hooks/lib", "stripe_simulator", "tests", "docs")
#: Files of a team's project, and of a running stack.
_ELSEWHERE = (
    "../transforms.py",
    ".local/",
    "gateway/mirror/projections/name.py",
    "app/",
    "main.py",
    "my_",
    "shop/app.py",
)
#: Migrations keep the comments of their time; tests write modules of their own.
_NO_NAMES = ("pb_migrations", "tests")


#: Pages that a test plays in a new project, and the files that they name.
_EXTENDING = Path("docs/extending")
_PROJECT = ROOT / "gateway" / "scaffold" / "template"


def _read_project_files() -> set[str]:
    """Return the files of a new project and those that the pages add, as paths and names."""
    pages = (ROOT / _EXTENDING).glob("*.md")
    added = [Path(name) for page in pages for name in _ADDED.findall(page.read_text())]
    there = [file.relative_to(_PROJECT) for file in _PROJECT.rglob("*") if file.is_file()]
    return {name for path in (*added, *there) for name in (path.as_posix(), path.name)}


def _exists(name: str, path: Path) -> bool:
    if path.parent == _EXTENDING and name in _read_project_files():
        return True
    places = [ROOT / base / name for base in _BASES] + [ROOT / path.parent / name]
    return any(place.exists() for place in places)


def _find_dead_paths(passage: Passage, names: set[str]) -> Iterator[str]:
    for path in _PATH.findall(passage.text):
        if not path.startswith(_ELSEWHERE) and not _exists(path, passage.path):
            yield f"{passage.path}: {path}"
    if passage.path.parts[0] not in _NO_NAMES:
        for name in _NAME.findall(passage.text):
            is_known = name in names or _exists(name, passage.path)
            if not is_known and not name.startswith(_ELSEWHERE):
                yield f"{passage.path}: {name}"


def _is_superseded(passage: Passage) -> bool:
    """A decision that no longer holds may name files of its time."""
    return "\nSuperseded by [" in passage.text


def test_every_path_that_prose_names_exists() -> None:
    """A file that moves leaves no old path in documents, docstrings and comments."""
    names = {path.name for suffix in _SUFFIXES for path in find_files(f".{suffix}")}
    documents = (each for each in read_documents() if not _is_superseded(each))
    passages = chain(documents, read_docstrings(), read_comments())
    assert [dead for passage in passages for dead in _find_dead_paths(passage, names)] == []


def test_every_link_of_a_document_leads_to_a_file() -> None:
    """Relative links work on a code host, too."""
    dead = [
        f"{passage.path}: {link}"
        for passage in read_documents()
        for link in _LINK.findall(passage.text)
        if not (ROOT / passage.path.parent / link).exists()
    ]
    assert dead == []


def test_every_module_that_a_docstring_names_exists() -> None:
    """A dotted name is a package, a module, or a member of one."""
    dead = []
    for passage in read_docstrings():
        for dotted in _MODULE.findall(passage.text):
            parts = dotted.strip(".").split(".")
            places = [ROOT.joinpath("gateway", *parts), ROOT.joinpath("gateway", *parts[:-1])]
            found = [
                place for place in places if place.is_dir() or place.with_suffix(".py").exists()
            ]
            if not found:
                dead.append(f"{passage.path}: gateway{dotted}")
    assert dead == []


def test_every_document_is_reachable_from_the_readme() -> None:
    """README.md leads to every document, directly or by others."""
    reached, waiting = set(), [Path("README.md")]
    while waiting:
        path = waiting.pop()
        if path in reached:
            continue
        reached.add(path)
        text = (ROOT / path).read_text()
        for link in _LINK.findall(text):
            target = (ROOT / path.parent / link).resolve()
            if target.is_dir():
                waiting += [each.relative_to(ROOT) for each in target.glob("*.md")]
            elif target.suffix == ".md" and target.is_relative_to(ROOT) and target.exists():
                waiting.append(target.relative_to(ROOT))
    documents = {path for path in find_files(".md") if path.parts[0] == "docs"}
    assert sorted(documents - reached) == []
