"""PocketBase and the example project, for every test of this folder."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.dev.plan import plan_throwaway
from gateway.dev.pocketbase import ROOT
from gateway.dev.project import Project
from gateway.dev.stack import Stack
from tests.frontend import User
from tests.npm import ToolUnavailableError
from tests.posts.author import entitle
from tests.posts.js_sdk import JsSdk, find_sdk
from tests.superuser import allow_batches, log_in_superuser, open_superuser_client
from tests.user_without_purchase import sign_up_without_purchase

EXAMPLE = Project(ROOT / "examples")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The running parts with the example; no Stripe."""
    plan = plan_throwaway(tmp_path_factory.mktemp("posts"))
    made = Stack(replace(plan, is_simulated=False, migrations=(EXAMPLE.migrations,)))
    made.gateway.cwd = EXAMPLE.folder
    with made as running:
        with open_superuser_client(running.pocketbase) as client:
            allow_batches(client)
        yield running


@pytest.fixture(scope="session")
def author(stack: Stack) -> User:
    """A user with an entitlement to any number of published posts."""
    user = sign_up_without_purchase(stack.pocketbase.url)
    entitle(stack.pocketbase.url, log_in_superuser(stack.pocketbase), user)
    return user


@pytest.fixture(scope="session")
def sdk_folder(testrun_uid: str) -> Path:
    """PocketBase's JavaScript SDK; without it the tests are skipped with the reason."""
    try:
        return find_sdk(testrun_uid)
    except ToolUnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture
def open_page(sdk_folder: Path, stack: Stack) -> Callable[[User], JsSdk]:
    """Open a page that a user has signed in to."""
    return lambda user: JsSdk(sdk_folder, stack.pocketbase.url, user.token, user.id)


@pytest.fixture
def page(open_page: Callable[[User], JsSdk], author: User) -> JsSdk:
    """The author's page."""
    return open_page(author)
