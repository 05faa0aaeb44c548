"""Every page of docs/guides works as written, on the stack of `make run`."""

import os
import subprocess
from pathlib import Path

import pytest

from gateway.dev.pocketbase import ROOT
from gateway.dev.ports import pick_free
from tests.dev.conftest import Run
from tests.guides.guide import MARK, Guide, fits
from tests.npm import ToolUnavailableError
from tests.posts.js_sdk import find_sdk

_PAGES = sorted((ROOT / "docs" / "guides").glob("[!R]*.md"))
_DEFAULT_PORTS = {"8090": "POCKETBASE_PORT", "8000": "GATEWAY_PORT", "12111": "SIMULATOR_PORT"}


@pytest.fixture(params=_PAGES, ids=lambda path: path.stem)
def guide(request: pytest.FixtureRequest) -> Guide:
    """Each page."""
    return Guide.read(request.param)


def _start(guide: Guide, folder: Path) -> Run:
    """Start a run with the page's settings and files."""
    settings = guide.settings
    for name, text in guide.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        # They are in the test's folder, which `make run` does not read.
        top = Path(name).parts[0]
        settings = settings.replace(f"={top}\n", f"={folder / top}\n")
    ports = {name: pick_free() for name in _DEFAULT_PORTS.values()}
    return Run(folder, ports, settings, {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"})


def _play(guide: Guide, run: Run, sdk: Path | None) -> list[str]:
    """Run all steps in one shell; return what each printed."""
    script = guide.as_script(sdk).replace(".local/", f"{run.folder}/")
    for number, name in _DEFAULT_PORTS.items():
        script = script.replace(f"127.0.0.1:{number}", f"127.0.0.1:{run.ports[name]}")
    done = subprocess.run(
        ["sh", "-eu", "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=run.home,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split(MARK)


def test_a_page_does_what_it_says(guide: Guide, tmp_path: Path, testrun_uid: str) -> None:
    """Each step succeeds, and prints what the page shows below it."""
    try:
        sdk, reason = find_sdk(testrun_uid), ""
    except ToolUnavailableError as error:
        sdk, reason = None, str(error)
    run = _start(guide, tmp_path)
    try:
        run.wait_up()
        printed = _play(guide, run, sdk)
    finally:
        run.child.terminate()
        run.wait()
    for step, expected, found in zip(guide.steps, guide.outputs, printed, strict=False):
        if sdk is None and step.language != "sh":
            break  # Later steps may need what this one does.
        if expected is not None:
            assert fits(expected, found), f"{step.text}\nprinted\n{found}"
    if sdk is None:
        pytest.skip(f"all but JavaScript was run: {reason}")


def test_readme_links_every_page() -> None:
    """README.md leads to each guide."""
    readme = (ROOT / "README.md").read_text()
    assert [path.name for path in _PAGES if f"docs/guides/{path.name}" not in readme] == []
