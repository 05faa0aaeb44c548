"""Writes a new project from the files in template/."""

import re
from pathlib import Path

from gateway.version import __version__

_TEMPLATE = Path(__file__).resolve().parent / "template"
#: A name that pip accepts as well; a folder named gateway would hide the package.
_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*", re.ASCII)
_RESERVED = ("gateway", "stripe_simulator", "stripe-simulator")
_MAX_LENGTH = 60
#: Written as placeholders, so that tools of this repository don't read the template's own.
_RENAMED = {
    "dot-dockerignore": ".dockerignore",
    "dot-env.example": ".env.example",
    "dot-gitignore": ".gitignore",
    "pyproject.toml.template": "pyproject.toml",
}
_SKIPPED = "__pycache__"


class NotCreated(Exception):
    """The project can't be created; the text is the sentence to show."""


def create_project(folder: Path) -> list[Path]:
    """Write a new project and return its files.

    Args:
        folder: its last part is the project's name; it must be missing or empty.

    Raises:
        NotCreated: the name is not valid, or the folder has files.
    """
    name = folder.name
    _check_name(name)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NotCreated(f"{folder} exists and is not an empty folder: choose another name.")
    return [_write(file, folder, name) for file in _list_template()]


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > _MAX_LENGTH:
        raise NotCreated(
            f"{name!r} is not a valid name: use lower-case letters, digits, - and _, a letter "
            f"first, at most {_MAX_LENGTH} characters."
        )
    if name in _RESERVED:
        raise NotCreated(f"{name!r} is the name of an installed package: choose another.")


def _list_template() -> list[Path]:
    return sorted(
        file
        for file in _TEMPLATE.rglob("*")
        if file.is_file() and _SKIPPED not in file.relative_to(_TEMPLATE).parts
    )


def _write(file: Path, folder: Path, name: str) -> Path:
    target = folder / file.relative_to(_TEMPLATE)
    target = target.with_name(_RENAMED.get(target.name, target.name))
    target.parent.mkdir(parents=True, exist_ok=True)
    text = file.read_text(encoding="utf-8")
    text = text.replace("{{ name }}", name).replace("{{ version }}", __version__)
    target.write_text(text, encoding="utf-8")
    return target
