"""The files of pb_hooks: what they load exists."""

import re
from pathlib import Path

from gateway.dev.pocketbase import ROOT

_HOOKS = ROOT / "pb_hooks"
_SCRIPTS = sorted([*_HOOKS.rglob("*.js"), *(ROOT / "pb_migrations").glob("*.js")])
_REQUIRED = re.compile(r"\brequire\(([^)]*)\)")
_LITERAL = re.compile(r"`\$\{__hooks\}/(lib/[\w/]+\.js(?:on)?)`")


def test_required_modules_exist() -> None:
    """Each require() has a literal path, which /ready can follow, to a file that exists."""
    wrong = [
        f"{script.relative_to(ROOT)}: require({path})"
        for script in _SCRIPTS
        for path in _REQUIRED.findall(_code_of(script))
        if not (found := _LITERAL.fullmatch(path)) or not (_HOOKS / found[1]).exists()
    ]
    assert wrong == []


def _code_of(script: Path) -> str:
    """Return the script without its comments."""
    return re.sub(r"^\s*//.*$", "", script.read_text(), flags=re.MULTILINE)
