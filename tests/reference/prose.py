"""The texts of the repository: documents, docstrings and comments, with their places."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.dev.pocketbase import ROOT

_FOLDERS = (
    "bench",
    "docker",
    "docs",
    "examples",
    "gateway",
    "pb_hooks",
    "pb_migrations",
    "stripe_simulator",
    "tests",
)
_COMMENT = re.compile(r"(?:^|\s)//(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Passage:
    """A text and the file that contains it, relative to the repository."""

    path: Path
    text: str


def find_files(suffix: str) -> list[Path]:
    """Return the repository's files with a suffix, without those of a running stack."""
    found = [path for folder in _FOLDERS for path in (ROOT / folder).rglob(f"*{suffix}")]
    found += ROOT.glob(f"*{suffix}")
    return sorted(path.relative_to(ROOT) for path in found if "node_modules" not in path.parts)


def read_documents() -> Iterator[Passage]:
    """Return every Markdown document; CHANGELOG.md tells of names that no longer exist."""
    for path in find_files(".md"):
        if path.name != "CHANGELOG.md":
            yield Passage(path, (ROOT / path).read_text())


def read_docstrings() -> Iterator[Passage]:
    """Return every docstring of the Python code."""
    for path in find_files(".py"):
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield Passage(path, ast.get_docstring(node) or "")


def read_comments() -> Iterator[Passage]:
    """Return every comment of the Python and JavaScript code."""
    for path in find_files(".py"):
        lines = io.StringIO((ROOT / path).read_text()).readline
        for token in tokenize.generate_tokens(lines):
            if token.type == tokenize.COMMENT:
                yield Passage(path, token.string.lstrip("#: "))
    for path in find_files(".js"):
        for comment in _COMMENT.findall((ROOT / path).read_text()):
            yield Passage(path, comment)
