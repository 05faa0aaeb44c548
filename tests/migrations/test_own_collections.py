"""The gateway's collections are not deleted by accident, and /ready names what is missing."""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack
from gateway.vocabulary import COLLECTIONS, CollectionNames
from tests.deadline import wait_until
from tests.problem import read_problem
from tests.superuser import open_superuser_client
from tests.transforms.conftest import make_collections

NOTES = "/api/collections/notes/records"
_LISTED = {CollectionNames().of(key): columns for key, columns in COLLECTIONS.items()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Parts with sample_transforms.py; each test leaves the collections as they were."""
    env = {"GATEWAY_APP": "tests.transforms.sample_transforms:app"}
    with Stack(plan_throwaway(tmp_path_factory.mktemp("own"), env)) as running:
        make_collections(running)
        yield running


@pytest.fixture
def api(made: Stack) -> Iterator[httpx.Client]:
    """The superuser's view of PocketBase."""
    with open_superuser_client(made.pocketbase) as client:
        yield client


def _list(api: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/api/collections", params={"perPage": 500}).json()[
        "items"
    ]
    return found


def _create_note(stack: Stack) -> httpx.Response:
    url = stack.pocketbase.url + NOTES
    return httpx.post(url, json={"title": "A  B"}, trust_env=False)


def test_the_hooks_know_every_collection_of_the_migrations(stack: Stack) -> None:
    """pb_hooks/lib/vocabulary.json lists every collection and column of the migrations."""
    with open_superuser_client(stack.pocketbase) as api:
        present = {
            each["name"]: {field["name"] for field in each["fields"]}
            for each in _list(api)
            if not each["system"] and each["name"] != "users"
        }
    assert set(_LISTED) == set(present)
    for name, columns in _LISTED.items():
        assert set(columns) == present[name] - {"id"}, name


@pytest.mark.parametrize("name", ["gateway_transforms", "stripe_events", "subscriptions"])
def test_a_collection_of_the_gateway_is_not_deleted(name: str, api: httpx.Client) -> None:
    """The dashboard reads why, and the collection stays."""
    answer = api.delete(f"/api/collections/{name}")
    assert answer.status_code == 400
    assert f"{name} belongs to the gateway" in answer.json()["message"]
    assert name in {each["name"] for each in _list(api)}


def _import(api: httpx.Client, collections: list[dict[str, Any]]) -> httpx.Response:
    body = {"collections": collections, "deleteMissing": True}
    return api.put("/api/collections/import", json=body)


def test_an_import_deletes_nothing_of_the_gateway(made: Stack, api: httpx.Client) -> None:
    """With "delete missing", one that leaves out a collection or a column of ours is refused."""
    before = _list(api)
    others = [each for each in before if not each["system"]]
    for lost in ("gateway_transforms", "customers"):
        answer = _import(api, [each for each in others if each["name"] != lost])
        assert answer.status_code == 400
        assert lost in answer.json()["message"]
    spoiled = [
        each | {"fields": [field for field in each["fields"] if field["name"] != "payload"]}
        for each in others
    ]
    answer = _import(api, spoiled)
    assert (answer.status_code, "stripe_events with its column payload" in answer.text) == (
        400,
        True,
    )
    answer = _import(api, [{"name": "things", "type": "base", "fields": []}])
    assert answer.status_code == 400
    assert {each["name"] for each in _list(api)} == {each["name"] for each in before}
    assert _create_note(made).json()["slug"] == "a-b"


def test_an_import_that_lists_ours_may_delete_others(api: httpx.Client) -> None:
    """A team's own collection goes as PocketBase says."""
    api.post("/api/collections", json={"name": "unwanted", "type": "base"}).raise_for_status()
    answer = _import(api, [each for each in _list(api) if each["name"] != "unwanted"])
    assert answer.is_success, answer.text
    assert "unwanted" not in {each["name"] for each in _list(api)}


@pytest.mark.parametrize("what", ["collection", "column"])
def test_ready_names_what_was_renamed(what: str, made: Stack, api: httpx.Client) -> None:
    """A collection or a column of the gateway under another name: not ready until it is back."""
    path = f"/api/collections/{api.get('/api/collections/coupons').json()['id']}"
    before = api.get(path).json()
    fields = [
        field | ({"name": "label"} if field["name"] == "name" else {}) for field in before["fields"]
    ]
    changed = {"name": "vouchers"} if what == "collection" else {"fields": fields}
    api.patch(path, json=changed).raise_for_status()
    try:
        answer = httpx.get(f"{made.gateway.url}/ready", trust_env=False)
        detail = read_problem(answer, 503)["detail"]
        said = {"collection": "coupons is missing", "column": "coupons has no column name"}
        assert said[what] in detail
    finally:
        api.patch(path, json={"name": "coupons", "fields": before["fields"]}).raise_for_status()
    assert httpx.get(f"{made.gateway.url}/ready", trust_env=False).is_success


@pytest.mark.parametrize("name", ["products", "subscriptions"])
def test_ready_names_an_object_that_users_see(name: str, made: Stack, api: httpx.Client) -> None:
    """`stripe_object` is hidden in every mirror: not ready until it is again."""
    before = api.get(f"/api/collections/{name}").json()
    path = f"/api/collections/{before['id']}"
    shown = [
        field | ({"hidden": False} if field["name"] == "stripe_object" else {})
        for field in before["fields"]
    ]
    api.patch(path, json={"fields": shown}).raise_for_status()
    try:
        answer = httpx.get(f"{made.gateway.url}/ready", trust_env=False)
        assert f"{name}.stripe_object is not hidden" in read_problem(answer, 503)["detail"]
    finally:
        api.patch(path, json={"fields": before["fields"]}).raise_for_status()
    assert httpx.get(f"{made.gateway.url}/ready", trust_env=False).is_success


def test_a_lost_table_opens_nothing(fresh_stack: Callable[..., Stack]) -> None:
    """Without `gateway_transforms` writes are refused and /ready says why; the remedy works."""
    own = fresh_stack(GATEWAY_APP="tests.transforms.sample_transforms:app")
    make_collections(own)
    data = own.pocketbase.data_dir / "data.db"
    own.pocketbase.stop()
    with sqlite3.connect(data) as database:
        database.execute("DROP TABLE gateway_transforms")
        database.execute("DELETE FROM _collections WHERE name = 'gateway_transforms'")
    database.close()
    own.pocketbase.start()
    own.pocketbase.wait_healthy()
    assert _create_note(own).status_code == 503
    answer = httpx.get(f"{own.gateway.url}/ready", trust_env=False)
    assert "gateway_transforms is missing" in read_problem(answer, 503)["detail"]

    own.pocketbase.stop()
    with sqlite3.connect(data) as database:
        database.execute("DELETE FROM _migrations WHERE file = '1763856004_transforms.js'")
    database.close()
    own.pocketbase.start()
    own.gateway.wait_ready()
    wait_until(lambda: _create_note(own).json().get("slug") == "a-b")


def test_a_collection_with_the_name_of_a_renamed_one_has_its_transform(
    made: Stack, api: httpx.Client
) -> None:
    """Both pass through it from the first write on: the renamed one, and the new one."""
    before = api.get("/api/collections/notes").json()
    api.patch(f"/api/collections/{before['id']}", json={"name": "old_notes"}).raise_for_status()
    keys = ("type", "listRule", "viewRule", "createRule", "updateRule", "deleteRule")
    fields = [
        {key: value for key, value in field.items() if key != "id"} for field in before["fields"]
    ]
    new = {"name": "notes", "fields": fields, **{key: before[key] for key in keys}}
    api.post("/api/collections", json=new).raise_for_status()
    try:
        for name in ("notes", "old_notes"):
            url = f"{made.pocketbase.url}/api/collections/{name}/records"
            answer = httpx.post(url, json={"title": "A  B"}, trust_env=False)
            assert answer.json().get("slug") == "a-b", (name, answer.text)
    finally:
        api.delete("/api/collections/notes").raise_for_status()
        api.patch(f"/api/collections/{before['id']}", json={"name": "notes"}).raise_for_status()


@pytest.mark.parametrize("way", ["truncate", "delete", "rename", "open", "batch"])
def test_the_table_of_transforms_is_not_emptied_or_edited(
    way: str, made: Stack, api: httpx.Client
) -> None:
    """A superuser can't delete its rows or change what they guard, so no write gets around."""
    rows = "/api/collections/gateway_transforms/records"
    [row] = api.get(rows, params={"filter": "collection='notes' && operation='create'"}).json()[
        "items"
    ]
    one = f"{rows}/{row['id']}"
    answer = {
        "truncate": lambda: api.delete("/api/collections/gateway_transforms/truncate"),
        "delete": lambda: api.delete(one),
        "rename": lambda: api.patch(one, json={"collection": "x", "collection_ref": "x"}),
        "open": lambda: api.patch(one, json={"on_failure": "open"}),
        "batch": lambda: api.post(
            "/api/batch", json={"requests": [{"method": "DELETE", "url": one}]}
        ),
    }[way]()
    assert answer.status_code == 400, answer.text
    assert _create_note(made).json()["slug"] == "a-b"
    assert api.get(one).json() == row


@pytest.mark.parametrize("column", ["collection", "collection_ref", "operation"])
def test_a_table_without_a_column_opens_nothing(
    column: str, made: Stack, api: httpx.Client
) -> None:
    """Writes are refused until `gateway_transforms` has the column again; /ready names it."""
    before = api.get("/api/collections/gateway_transforms").json()
    path = f"/api/collections/{before['id']}"
    fields = [
        field | ({"name": f"{column}_2"} if field["name"] == column else {})
        for field in before["fields"]
    ]
    api.patch(path, json={"fields": fields, "indexes": []}).raise_for_status()
    try:
        assert _create_note(made).status_code == 503
        answer = httpx.get(f"{made.gateway.url}/ready", trust_env=False)
        assert f"no column {column}" in read_problem(answer, 503)["detail"]
    finally:
        api.patch(
            path, json={"fields": before["fields"], "indexes": before["indexes"]}
        ).raise_for_status()
    wait_until(lambda: _create_note(made).json().get("slug") == "a-b")
