"""Every page of docs/extending works as written, in a project that `gateway new` makes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.dev.pocketbase import ROOT
from gateway.scaffold.project import create_project
from tests.extending.former import create_former_project
from tests.extending.page import Block, compile_output, read_blocks
from tests.extending.project import DevProject

_FOLDER = ROOT / "docs" / "extending"
_PAGES = sorted(page for page in _FOLDER.glob("*.md") if page.name != "README.md")
_UPGRADING = "upgrading"


@pytest.fixture(params=_PAGES, ids=lambda path: path.stem)
def page(request: pytest.FixtureRequest) -> Path:
    """Each page."""
    return Path(request.param)


@pytest.fixture
def project(page: Path, tmp_path: Path) -> Iterator[DevProject]:
    """A new project; for the page about upgrades, one of a former release with its data."""
    create = create_former_project if page.stem == _UPGRADING else create_project
    create(tmp_path / "shop")
    made = DevProject(tmp_path / "shop")
    yield made
    made.stop()


def test_a_page_does_what_it_says(page: Path, project: DevProject) -> None:
    """Files are saved, steps print what is shown below them, and mistakes print their message."""
    blocks = read_blocks(page)
    assert any(block.is_step and block.output for block in blocks), "nothing is checked"
    for block in blocks:
        _play(block, project)


def _play(block: Block, project: DevProject) -> None:
    if block.is_step:
        project.start()
        printed = project.run(block.text)
        expected = compile_output(block.output or "…")
        assert expected.fullmatch(printed.rstrip() + "\n"), f"{block.text}\nprinted\n{printed}"
    elif block.use == "wrong":
        assert block.output, f"no message is shown for\n{block.text}"
        project.start()
        project.try_wrong(block)
    elif block.file:
        project.save(block)


_FAILING = '''
@app.on("purchase.completed")
async def fail(event: Event, context: EventContext) -> None:
    """Fail."""
    raise LookupError("no such shelf")
'''
_FAILING_TEST = """
async def test_a_handler(buy):
    await buy("pro_monthly")
    assert False
"""


def test_a_failed_test_shows_what_the_app_logged(tmp_path: Path) -> None:
    """The error of a handler is in the report of the test that caused it."""
    create_project(tmp_path / "shop")
    project = DevProject(tmp_path / "shop")
    Block("python", "app.py", "append", _FAILING).write(project.folder)
    Block("python", "tests/test_fail.py", "", _FAILING_TEST).write(project.folder)
    printed = project.run("pytest -q tests/test_fail.py || true")
    section = printed.partition("App log during the test")[2]
    assert "LookupError: no such shelf" in section
    assert "level=info" not in section


def test_the_index_links_every_page() -> None:
    """README.md of the folder leads to each page, and the repository's to the folder."""
    index = (_FOLDER / "README.md").read_text()
    assert [page.name for page in _PAGES if f"]({page.name})" not in index] == []
    assert "docs/extending/README.md" in (ROOT / "README.md").read_text()
