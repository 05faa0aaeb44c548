"""Locates pb_hooks and pb_migrations: at the top of a checkout, inside the package in a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
#: The place of both folders in the wheel; see pyproject.toml.
_INSTALLED = _PACKAGE / "_pocketbase"


def find_pocketbase_files() -> Path:
    """Return the folder that contains `pb_hooks` and `pb_migrations`."""
    return _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent


HOOKS = find_pocketbase_files() / "pb_hooks"
MIGRATIONS = find_pocketbase_files() / "pb_migrations"


def find_image_file(name: str) -> Path:
    """Return a file of docker/ that images of a project need as well."""
    folder = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent / "docker"
    return folder / name
