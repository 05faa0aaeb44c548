"""The example project on a stack that allows its page's origin, and the page of a new project."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.dev.plan import plan_throwaway
from gateway.dev.pocketbase import ROOT
from gateway.dev.project import Project
from gateway.dev.stack import Stack
from gateway.scaffold.project import create_project
from tests.catalogue import wait_for_catalogue
from tests.npm import ToolUnavailableError
from tests.page.page import ExamplePage, find_jsdom

EXAMPLE = Project(ROOT / "examples")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The running example."""
    plan = plan_throwaway(tmp_path_factory.mktemp("page"))
    plan = replace(
        plan,
        frontend_origins=(f"http://127.0.0.1:{plan.ports.pocketbase}",),
        public_dir=EXAMPLE.public,
        migrations=(EXAMPLE.migrations,),
        catalogue=EXAMPLE.catalogue,
    )
    made = Stack(plan)
    made.gateway.cwd = EXAMPLE.folder
    with made as running:
        wait_for_catalogue(running.pocketbase)
        yield running


@pytest.fixture
def page(stack: Stack, testrun_uid: str, tmp_path: Path) -> ExamplePage:
    """The page; without node or npm its tests are skipped with the reason."""
    return _open(EXAMPLE.folder / "pb_public" / "index.html", stack, testrun_uid, tmp_path)


@pytest.fixture
def new_page(stack: Stack, testrun_uid: str, tmp_path: Path) -> ExamplePage:
    """The page of a new project, with the example's products."""
    create_project(tmp_path / "shop")
    return _open(tmp_path / "shop" / "pb_public" / "index.html", stack, testrun_uid, tmp_path)


def _open(file: Path, stack: Stack, run: str, folder: Path) -> ExamplePage:
    try:
        node = find_jsdom(run)
    except ToolUnavailableError as error:
        pytest.skip(str(error))
    url = f"{stack.pocketbase.url}/?gateway_port={stack.plan.ports.gateway}"
    return ExamplePage(node, file, url, folder)
