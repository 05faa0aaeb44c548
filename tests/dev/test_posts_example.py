"""The commands of examples/posts and docs/transforms.md work as printed."""

import re
import subprocess
from collections.abc import Callable
from typing import Any

import yaml

from gateway.dev.pocketbase import ROOT
from tests.dev.conftest import Run

_README = (ROOT / "examples" / "posts" / "README.md").read_text()


def test_the_examples_steps_by_curl(start_run: Callable[..., Run]) -> None:
    """`make run` with the two settings of the README, then its curl steps, show what it says."""
    start, steps = re.findall(r"```sh\n(.*?)```", _README, re.DOTALL)
    settings = dict(re.findall(r"(GATEWAY_APP|POCKETBASE_MIGRATIONS)=(\S+)", start))
    run = start_run(**settings)
    run.wait_up()
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


def test_the_examples_compose_file_names_what_exists() -> None:
    """What examples/posts/compose.yaml builds and mounts is there."""
    services = yaml.safe_load((ROOT / "examples/posts/compose.yaml").read_text())["services"]
    build = services["gateway"]["build"]
    dockerfile = (ROOT / build["context"] / build["dockerfile"]).read_text()
    assert re.search(r"^USER 10001$", dockerfile.strip().splitlines()[-1])
    assert "--require-hashes" in dockerfile
    base = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["gateway"]["image"]
    assert dockerfile.splitlines()[1] == f"FROM {base}"
    for mount in services["pocketbase"]["volumes"]:
        assert (ROOT / mount.split(":")[0]).is_file()
