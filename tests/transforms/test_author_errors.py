"""Mistakes of a transform's author: a 500 with a line in the log."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack
from tests.deadline import wait_until
from tests.frontend import Frontend
from tests.superuser import (
    allow_batches,
    create_collections,
    log_in_superuser,
    open_superuser_client,
)
from tests.transforms.faulty import MISTAKES

FAULTS = "/api/collections/faults/records"
_RULES = dict.fromkeys(("listRule", "viewRule", "createRule", "updateRule", "deleteRule"), "")
_FIELDS: list[dict[str, Any]] = [
    {"name": "title", "type": "text"},
    {"name": "body", "type": "text"},
    {"name": "kind", "type": "select", "values": ["a", "b"], "maxSelect": 1},
    {"name": "short", "type": "text", "max": 10},
    {"name": "slug", "type": "text"},
    {"name": "count", "type": "number"},
    {"name": "seen", "type": "json"},
    {"name": "image", "type": "file", "maxSelect": 1},
    {"name": "created", "type": "autodate", "onCreate": True},
]


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Running parts with the transforms of faulty.py."""
    env = {"GATEWAY_APP": "tests.transforms.faulty:app"}
    with Stack(plan_throwaway(tmp_path_factory.mktemp("faulty"), env)) as running:
        with open_superuser_client(running.pocketbase) as client:
            for name in ("faults", "stricts"):
                create_collections(client, {"name": name, "fields": _FIELDS, **_RULES})
            allow_batches(client)
        yield running


@pytest_asyncio.fixture
async def guest(faulty: Stack) -> AsyncIterator[Frontend]:
    """A browser without a user."""
    async with Frontend(faulty.pocketbase.url) as frontend:
        yield frontend


def _read_logs(stack: Stack) -> str:
    """The gateway's log and PocketBase's own."""
    query: dict[str, str | int] = {"perPage": 500, "filter": "message = 'transform failed'"}
    with open_superuser_client(stack.pocketbase) as client:
        kept = client.get("/api/logs", params=query).raise_for_status().json()
    return stack.gateway.log.read_text() + str(kept["items"])


def _assert_authors_error(answer: httpx.Response) -> None:
    """A 500 that neither names a field nor asks the client to come again."""
    assert answer.status_code == 500, answer.text
    body = answer.json()
    assert body["data"] == {}
    assert "try again" not in body["message"].lower()


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_a_mistake_of_the_transform_is_a_500(guest: Frontend, mistake: str) -> None:
    """Nothing is stored, no field of the client is named, and the gateway goes on."""
    if mistake == "the id":
        made = await guest.call("POST", FAULTS, body={"title": "kept"})
        path, method = f"{FAULTS}/{made['id']}", "PATCH"
    else:
        path, method = FAULTS, "POST"
    answer = await guest.http.request(method, path, json={"title": mistake})
    _assert_authors_error(answer)
    assert (await guest.call("POST", FAULTS, body={"title": "fine"}))["title"] == "fine"
    assert [row for row in await guest.list_records("faults") if row["title"] == mistake] == []


@pytest.mark.parametrize("mistake", ["errors as text", "half a character", "a file", "an exit"])
async def test_a_mistake_is_in_a_log(guest: Frontend, faulty: Stack, mistake: str) -> None:
    """Its line names the collection, so that the author finds the function."""
    before = _read_logs(faulty).count("transform failed")
    await guest.http.post(FAULTS, json={"title": mistake})
    # PocketBase writes its log every few seconds.
    wait_until(lambda: _read_logs(faulty).count("transform failed") > before, 20)
    assert "faults" in _read_logs(faulty)


@pytest.mark.parametrize("mistake", ["errors as text", "half a character", "infinity", "deep"])
async def test_a_mistake_fails_only_its_own_item_of_a_batch(guest: Frontend, mistake: str) -> None:
    """The item that the transform has failed on is named, by a 500; no other is."""
    titles = ["good", mistake, "good too"]
    requests = [{"method": "POST", "url": FAULTS, "body": {"title": title}} for title in titles]
    answer = await guest.http.post("/api/batch", json={"requests": requests})
    assert answer.status_code == 400
    [(place, only)] = answer.json()["data"]["requests"].items()
    assert place == "1"
    assert only["response"]["status"] == 500
    assert only["response"]["data"] == {}


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_model_that_forbids_columns_is_its_authors_mistake(
    guest: Frontend, faulty: Stack, method: str
) -> None:
    """The client can't help it that the record has columns which the model lacks."""
    path = "/api/collections/stricts/records"
    if method == "PATCH":
        made = await guest.call("POST", path, body={"title": "alone"})
        path += f"/{made['id']}"
    answer = await guest.http.request(method, path, json={"title": "x", "body": "also sent"})
    _assert_authors_error(answer)
    assert "Strict: " in faulty.gateway.log.read_text()


async def test_the_client_still_reads_the_errors_of_its_own_fields(guest: Frontend) -> None:
    """A value of the client and one of the transform are refused: the client reads its own."""
    body = {"title": "no option of a select", "short": "much too long for it"}
    answer = await guest.http.post(FAULTS, json=body)
    assert answer.status_code == 400
    assert answer.json()["data"].keys() == {"short"}


async def test_a_name_that_is_taken_is_no_mistake(guest: Frontend, faulty: Stack) -> None:
    """Two writes at once may both find a name free: the second reads it at the field, as ever."""
    root = log_in_superuser(faulty.pocketbase)
    collection = "/api/collections/faults"
    index = "CREATE UNIQUE INDEX idx_faults_slug ON faults (slug) WHERE slug != ''"
    await guest.call("PATCH", collection, token=root, body={"indexes": [index]})
    assert (await guest.http.post(FAULTS, json={"title": "a slug"})).status_code == 200
    answer = await guest.http.post(FAULTS, json={"title": "a slug"})
    assert answer.status_code == 400
    assert answer.json()["data"]["slug"]["code"] == "validation_not_unique"
