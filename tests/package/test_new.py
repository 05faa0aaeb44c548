"""`gateway new`: the files of a project, and the names that it refuses."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from gateway.dev.export import export_pocketbase
from gateway.dev.pocketbase import ROOT
from gateway.dev.project import Project
from gateway.scaffold.project import NotCreated, create_project
from gateway.version import __version__


def _create(folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway", "new", name],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_project_has_every_part(tmp_path: Path) -> None:
    """The files of a deployable project are there, with its name and without placeholders."""
    done = _create(tmp_path, "shop")
    assert done.returncode == 0, done.stderr
    files = {
        file.relative_to(tmp_path / "shop").as_posix(): file.read_text()
        for file in (tmp_path / "shop").rglob("*")
        if file.is_file()
    }
    assert set(files) == {
        ".dockerignore",
        ".env.example",
        ".gitignore",
        "Dockerfile",
        "README.md",
        "app.py",
        "compose.yaml",
        "pb_migrations/1764000000_project.js",
        "pb_public/index.html",
        "pyproject.toml",
        "tests/conftest.py",
        "tests/test_app.py",
    }
    assert not [name for name, text in files.items() if "{{" in text]
    project = tomllib.loads(files["pyproject.toml"])["project"]
    assert project["name"] == "shop"
    assert project["dependencies"] == [f"pocketbase-gateway=={__version__}"]


def test_existing_files_are_kept(tmp_path: Path) -> None:
    """A folder with any file is refused; an empty one is used."""
    (tmp_path / "shop").mkdir()
    assert _create(tmp_path, "shop").returncode == 0
    app = tmp_path / "shop" / "app.py"
    app.write_text("mine")
    done = _create(tmp_path, "shop")
    assert done.returncode == 1
    assert "exists and is not an empty folder" in done.stderr
    assert app.read_text() == "mine"


@pytest.mark.parametrize(
    "name", ["Shop", "1shop", "shop!", "sh op", "-shop", "shop-", "gateway", "é", "a" * 61]
)
def test_names_that_would_not_work_are_refused(tmp_path: Path, name: str) -> None:
    """The sentence names the rule, and nothing is written."""
    with pytest.raises(NotCreated, match="name"):
        create_project(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_is_one_sentence(tmp_path: Path) -> None:
    """The command prints the rule without a traceback."""
    done = _create(tmp_path, "Shop")
    assert done.returncode == 1
    assert done.stderr.startswith("'Shop' is not a valid name: ")
    assert done.stderr.count("\n") == 1


def test_the_compose_file_is_confined_and_has_no_secrets(tmp_path: Path) -> None:
    """Each service has the limits of this repository's own, and builds a target that exists."""
    _create(tmp_path, "shop")
    services = yaml.safe_load((tmp_path / "shop" / "compose.yaml").read_text())["services"]
    dockerfile = (tmp_path / "shop" / "Dockerfile").read_text()
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        assert f" AS {service['build']['target']}\n" in dockerfile
        for name, value in service["environment"].items():
            assert not any(word in name for word in ("PASSWORD", "SECRET")) or ":?" in value


def test_an_image_gets_both_sets_of_files(tmp_path: Path) -> None:
    """The exported folders have the gateway's files and the project's, as copies."""
    _create(tmp_path, "shop")
    export_pocketbase(Project(tmp_path / "shop"), tmp_path / "pb")
    migrations = {file.name for file in (tmp_path / "pb" / "migrations").iterdir()}
    assert migrations > {file.name for file in (ROOT / "pb_migrations").glob("*.js")}
    assert "1764000000_project.js" in migrations
    assert (tmp_path / "pb" / "hooks" / "lib" / "vocabulary.json").is_file()
    assert (tmp_path / "pb" / "superuser" / "superuser.pb.js").is_file()
    start = (tmp_path / "pb" / "pocketbase-start.sh").read_text()
    assert "--hooksDir=/pb/hooks" in start
    assert not [file for file in (tmp_path / "pb").rglob("*") if file.is_symlink()]
