"""The commands of examples/README.md and docs/transforms.md work as printed."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from gateway.dev.pocketbase import ROOT
from gateway.dev.process import describe_python_path, inherit_environment
from gateway.scaffold.project import create_project
from tests.dev.conftest import Run

_EXAMPLE = ROOT / "examples"


def test_the_examples_steps_by_curl(run: Run) -> None:
    """The curl steps of the README print the transformed post and the field's error."""
    [steps] = re.findall(r"```sh\n(PB=.*?)```", (_EXAMPLE / "README.md").read_text(), re.DOTALL)
    script = steps.replace("127.0.0.1:8090", f"127.0.0.1:{run.ports['POCKETBASE_PORT']}")
    done = subprocess.run(
        ["sh", "-eu", "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert '"slug":"hello-world"' in done.stdout, done.stdout + done.stderr
    assert '"word_count":3' in done.stdout
    assert "alert(1)" not in done.stdout
    assert '"tags":["javascript"]' in done.stdout
    assert '"published":{"code":"validation_not_in_plan"' in done.stdout


def test_the_guides_python_runs() -> None:
    """The code of docs/transforms.md is an app with transforms, and its one-line test passes."""
    text = (ROOT / "docs" / "transforms.md").read_text()
    module: dict[str, Any] = {"__name__": "reviews"}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(block, module)  # noqa: S102 - our own documentation
    assert [transform.collection for transform in module["app"].declarations.transforms] == [
        "reviews",
        "reviews",
    ]


def test_the_examples_images_are_made_from_the_repositorys() -> None:
    """Each service builds a target of the example's Dockerfile from the image of compose.yaml."""
    ours = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    services = yaml.safe_load((_EXAMPLE / "compose.yaml").read_text())["services"]
    dockerfile = (_EXAMPLE / "Dockerfile").read_text()
    assert "ARG RELEASE=0.1.0" in dockerfile
    for name in ("pocketbase", "gateway"):
        service, base = services[name], ours[name]["image"].replace(":-0.1.0", "")
        assert ROOT / service["build"]["context"] == _EXAMPLE
        assert f"FROM {base} AS {service['build']['target']}\n" in dockerfile
        assert service["image"] not in {part["image"] for part in ours.values()}
    assert "--require-hashes" in dockerfile
    assert dockerfile.strip().splitlines()[-1] == "USER 10001"
    for source in re.findall(r"^COPY (\S+) ", dockerfile, re.MULTILINE):
        assert (_EXAMPLE / source).exists()


def test_the_example_is_a_project_as_gateway_new_makes_it(tmp_path: Path) -> None:
    """Every file and folder of a new project exists in the example."""
    create_project(tmp_path / "shop")
    generated = {file.name for file in (tmp_path / "shop").iterdir()}
    # Settings and ignored files are the repository's.
    assert generated - {file.name for file in _EXAMPLE.iterdir()} <= {".env.example", ".gitignore"}


def test_the_example_uses_public_names_only() -> None:
    """Its code and tests import from `gateway` and `gateway.testing`, not from their modules."""
    texts = [file.read_text() for file in _EXAMPLE.rglob("*.py")]
    found = {name for text in texts for name in re.findall(r"(?:from|import) (gateway\S*)", text)}
    assert found == {"gateway", "gateway.testing"}


def test_the_examples_own_tests_pass() -> None:
    """`pytest` in the example's folder passes, on a stack of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=_EXAMPLE,
        env=inherit_environment() | describe_python_path(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_proxy_knows_the_examples_endpoints() -> None:
    """Each path of the example's own endpoints goes to the gateway."""
    services = yaml.safe_load((_EXAMPLE / "compose.yaml").read_text())["services"]
    passed = services["caddy"]["environment"]["CADDY_GATEWAY_PATHS"].split()
    texts = [file.read_text() for file in (_EXAMPLE / "shop").glob("*.py")]
    paths = {
        path for text in texts for path in re.findall(r'@router\.(?:get|post)\("([^"]+)', text)
    }
    assert paths == set(passed)
