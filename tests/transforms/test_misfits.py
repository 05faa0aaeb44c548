"""A transform with a missing, misspelt or changed collection is reported before writes fail."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.dev.errors import StackError
from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack
from tests.problem import read_problem
from tests.second_gateway import inherit_settings, run_second_gateway
from tests.superuser import create_collections, open_superuser_client

_RULES = dict.fromkeys(("listRule", "viewRule", "createRule", "updateRule", "deleteRule"), "")
_FIELDS: list[dict[str, Any]] = [
    {"name": "name", "type": "text"},
    {"name": "title", "type": "text"},
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A PocketBase with the collection `things`, and a view of it."""
    made = Stack(plan_throwaway(tmp_path_factory.mktemp("misfits")))
    with made:
        with open_superuser_client(made.pocketbase) as client:
            create_collections(
                client,
                {"name": "things", "fields": _FIELDS, **_RULES},
                {"name": "seen", "type": "view", "viewQuery": "SELECT id FROM things"},
            )
        yield made


@pytest.fixture
def board(project: Stack) -> Iterator[httpx.Client]:
    """The superuser's view of the collections; `things` is put right afterwards."""
    with open_superuser_client(project.pocketbase, "/api") as client:
        found = client.get("/collections/things").json()
        yield client
        right = {"name": "things", "fields": found["fields"]}
        client.patch(f"/collections/{found['id']}", json=right).raise_for_status()


@pytest.fixture
def start(project: Stack, tmp_path: Path) -> Iterator[Callable[..., GatewayProcess]]:
    """Start a gateway with the transform of misfit_transforms.py: `start(TEST_TABLE="things")`."""
    with ExitStack() as ends:

        def run(**env: str) -> GatewayProcess:
            app = {"GATEWAY_APP": "tests.transforms.misfit_transforms:app"}
            settings = inherit_settings(project, **app | env)
            log = tmp_path / "gateway.log"
            return ends.enter_context(run_second_gateway(project, log, **settings))

        yield run


def _ready(gateway: GatewayProcess) -> httpx.Response:
    return httpx.get(f"{gateway.url}/ready", trust_env=False)


def _read_fault(gateway: GatewayProcess) -> str:
    return str(read_problem(_ready(gateway), 503, "unfit-collections")["detail"])


def test_a_collection_that_fits_is_ready(start: Callable[..., GatewayProcess]) -> None:
    """An alias is a column's name, and a field that is never stored needs none."""
    assert _ready(start()).is_success


def test_a_misspelt_collection_ends_the_start(start: Callable[..., GatewayProcess]) -> None:
    """One sentence names file and line, and what to do: nothing would be guarded."""
    with pytest.raises(StackError, match=r"misfit_transforms.py:\d+: .*thigns.*may_come_later"):
        start(TEST_TABLE="thigns")


def test_a_collection_may_come_later_if_it_says_so(
    start: Callable[..., GatewayProcess], board: httpx.Client
) -> None:
    """The gateway is ready and logs the name; the collection is guarded from its first write on."""
    gateway = start(TEST_TABLE="later", TEST_LATER="yes")
    assert _ready(gateway).is_success
    assert "may come later: later" in gateway.log.read_text()
    made = {"name": "later", "type": "base", "fields": _FIELDS[1:], **_RULES}
    board.post("/collections", json=made).raise_for_status()
    try:
        assert "name" in _read_fault(gateway)
        answer = board.post(
            "/collections/later/records", json={"title": "a"}, headers={"Authorization": ""}
        )
        assert (answer.status_code, list(answer.json()["data"])) == (400, ["name"])
    finally:
        board.delete("/collections/later").raise_for_status()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ([{"name": "title", "type": "text"}], "field name, but things has no such column"),
        ([{"name": "name", "type": "text"}], "field title, but things has no such column"),
        (
            [{"name": "name", "type": "text", "hidden": True}, {"name": "title", "type": "text"}],
            "requires the field name, but this column of things is hidden",
        ),
    ],
)
def test_a_changed_column_is_named(
    fields: list[dict[str, Any]],
    said: str,
    start: Callable[..., GatewayProcess],
    board: httpx.Client,
) -> None:
    """A column of the model that was removed, renamed or hidden: not ready until it is back."""
    gateway = start()
    before = board.get("/collections/things").json()["fields"]
    assert _ready(gateway).is_success
    board.patch("/collections/things", json={"fields": [before[0], *fields]}).raise_for_status()
    assert said in _read_fault(gateway)
    board.patch("/collections/things", json={"fields": before}).raise_for_status()
    assert _ready(gateway).is_success


def test_a_renamed_collection_is_ready_as_it_is_guarded(
    start: Callable[..., GatewayProcess], board: httpx.Client
) -> None:
    """PocketBase finds it by its id."""
    gateway = start()
    board.patch("/collections/things", json={"name": "renamed"}).raise_for_status()
    assert _ready(gateway).is_success
    headers = {"Authorization": ""}
    answer = board.post("/collections/renamed/records", json={"title": "a"}, headers=headers)
    assert list(answer.json()["data"]) == ["name"]
    board.patch("/collections/renamed", json={"name": "things"}).raise_for_status()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("seen", "The collection seen of a transform is a view"),
        ("_superusers", "collections of PocketBase itself can have no transform"),
        ("_otps", "collections of PocketBase itself can have no transform"),
    ],
)
def test_what_has_no_direct_writes_is_refused_at_the_start(
    name: str, said: str, start: Callable[..., GatewayProcess]
) -> None:
    """The gateway ends with one sentence."""
    with pytest.raises(StackError, match=said):
        start(TEST_TABLE=name)
