"""The files of pb_hooks: what they import exists, and each says why it runs in PocketBase."""

import re
from itertools import takewhile
from pathlib import Path

import pytest

from gateway.dev.pocketbase import ROOT

_HOOKS = ROOT / "pb_hooks"
_FILES = sorted(path.relative_to(_HOOKS).as_posix() for path in _HOOKS.rglob("*.js"))
_SCRIPTS = sorted([*_HOOKS.rglob("*.js"), *(ROOT / "pb_migrations").glob("*.js")])
_REQUIRED = re.compile(r"\brequire\(([^)]*)\)")
_LITERAL = re.compile(r"`\$\{__hooks\}/(lib/[\w/]+\.js(?:on)?)`")
_MODULE = r"require\(`\$\{__hooks\}/(lib/[\w/]+\.js)`\)"
_DESTRUCTURED = re.compile(r"const \{([^}]*)\} = " + _MODULE + r"(?!\.)")
_ATTRIBUTE = re.compile(_MODULE + r"\)?\.(\w+)")


def test_required_modules_exist() -> None:
    """Each require() has a literal path, which /ready can follow, to a file that exists."""
    wrong = [
        f"{script.relative_to(ROOT)}: require({path})"
        for script in _SCRIPTS
        for path in _REQUIRED.findall(_code_of(script))
        if not (found := _LITERAL.fullmatch(path)) or not (_HOOKS / found[1]).exists()
    ]
    assert wrong == []


def test_imported_names_are_exported() -> None:
    """Each name that a script imports from a module is one of the module's exports."""
    imported = [
        (script, module, name)
        for script in _SCRIPTS
        for module, name in _imports_of(_code_of(script))
    ]
    assert len(imported) > 200
    assert [each for each in imported if each[2] not in _exports_of(each[1])] == []


@pytest.mark.parametrize("name", _FILES)
def test_files_begin_with_their_reason(name: str) -> None:
    """A hook file begins with what it does, then with the reason why it runs in PocketBase."""
    lines = takewhile(lambda line: line.startswith("//"), (_HOOKS / name).read_text().splitlines())
    head = [line.removeprefix("//").strip() for line in lines if not line.startswith("///")]
    reasons = [line for line in head if line.startswith("Why here: ")]
    assert not head[0].startswith("Why here")
    assert len(reasons) == 1
    assert len(reasons[0].split()) > 5


def _imports_of(code: str) -> list[tuple[str, str]]:
    """Return each imported (module, name): `const { name } = require(…)`, `require(…).name`."""
    found = [
        (module, name.split(":")[0].strip())
        for names, module in _DESTRUCTURED.findall(code)
        for name in names.split(",")
        if name.strip()
    ]
    return found + _ATTRIBUTE.findall(code)


def _exports_of(module: str) -> set[str]:
    """Return the names in a module's exports."""
    text = (_HOOKS / module).read_text()
    [names] = re.findall(r"^module\.exports = \{([^}]*)\}", text, re.MULTILINE)
    return {name.split(":")[0].strip() for name in names.split(",") if name.strip()}


def _code_of(script: Path) -> str:
    """Return the script without its comments."""
    return re.sub(r"^\s*//.*$", "", script.read_text(), flags=re.MULTILINE)
