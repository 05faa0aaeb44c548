"""The bills of materials of the images."""

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from gateway.dev.pocketbase import ROOT, find_binary
from gateway.dev.sbom import LOCK_FILES


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The files of `make sbom`, by image."""
    folder = tmp_path_factory.mktemp("sbom")
    command = [sys.executable, "-m", "gateway.dev.sbom", str(folder)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT, timeout=60)
    return {
        file.name.removesuffix(".cdx.json"): json.loads(file.read_text())
        for file in folder.iterdir()
    }


def _list_purls(document: Any) -> set[str]:
    return {component["purl"] for component in document["components"]}


def test_each_document_lists_every_locked_version(documents: dict[str, Any]) -> None:
    """Package by package, as in the lock file of the image."""
    assert documents.keys() == LOCK_FILES.keys()
    for image, document in documents.items():
        lock = (ROOT / LOCK_FILES[image]).read_text()
        # uv writes a line with two equals signs per package, and each hash on its own.
        locked = {
            "pkg:pypi/" + line.split(" ")[0].replace("==", "@")
            for line in lock.splitlines()
            if "==" in line.split(" ")[0]
        }
        assert locked
        assert locked == {purl for purl in _list_purls(document) if purl.startswith("pkg:pypi/")}


def test_each_document_follows_the_standard(documents: dict[str, Any]) -> None:
    """CycloneDX's own schema accepts it."""
    for document in documents.values():
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document)) is None


def test_each_image_has_its_base_image(documents: dict[str, Any]) -> None:
    """By the digest that its Dockerfile pins; every Dockerfile has a document."""
    dockerfiles = {file.name.split(".")[0] for file in (ROOT / "docker").glob("*.Dockerfile")}
    assert dockerfiles == documents.keys()
    for name in dockerfiles:
        text = (ROOT / "docker" / f"{name}.Dockerfile").read_text()
        assert f"COPY {LOCK_FILES[name]} /" in text
        [digest] = re.findall(r"^ARG PYTHON_IMAGE=\S+@(sha256:\w+)$", text, re.MULTILINE)
        assert any(digest in purl for purl in _list_purls(documents[name]))


def test_pocketbase_is_listed_by_the_version_that_runs(documents: dict[str, Any]) -> None:
    """Advisories name PocketBase's module, not the package that contains the binary."""
    shown = subprocess.run(
        [find_binary(), "--version"], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    [version] = re.findall(r"\d+\.\d+\.\d+", shown)
    url = f"pkg:golang/github.com/pocketbase/pocketbase@v{version}"
    assert url in _list_purls(documents["pocketbase"])
