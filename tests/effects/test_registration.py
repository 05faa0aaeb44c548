"""Effects belong to the release that started last, and outlast gateways and changed collections."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.stack import Stack
from tests.deadline import wait_until
from tests.effects.conftest import Notes
from tests.superuser import log_in_superuser

_HEAD = """
import os
from pathlib import Path
from gateway import Gateway

app = Gateway()

def note(change, context):
    with Path("notes").open("a") as notes:
        notes.write(change.record["title"] + chr(10))
"""


class _Orders:
    """Writes orders as a superuser."""

    def __init__(self, stack: Stack) -> None:
        token = log_in_superuser(stack.pocketbase)
        self.stack = stack
        self.http = httpx.Client(
            base_url=stack.pocketbase.url,
            headers={"Authorization": token},
            trust_env=False,
            timeout=10,
        )

    def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, f"/api/collections/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def create(self, title: str, collection: str = "orders", **values: Any) -> Any:
        body = {"title": title, "status": "new", **values}
        return self.call("POST", f"{collection}/records", body)

    def list_work(self, handler: str) -> list[Any]:
        found = self.call("GET", f"gateway_work/records?perPage=200&filter=handler='{handler}'")
        return list(found["items"])

    def count_triggers(self) -> int:
        with closing(sqlite3.connect(self.stack.pocketbase.data_dir / "data.db")) as database:
            query = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"
            [number] = database.execute(query).fetchone()
        return int(number)


@pytest.fixture
def orders(own: Stack) -> Iterator[_Orders]:
    """The orders of a stack to change."""
    made = _Orders(own)
    yield made
    made.http.close()


@pytest.fixture
def own_notes(tmp_path: Path) -> Notes:
    """The notes of the gateway in `own`."""
    return Notes(tmp_path / "notes")


def test_no_effect_is_lost_without_a_gateway(own: Stack, orders: _Orders, own_notes: Notes) -> None:
    """Changes while no gateway runs, and while PocketBase restarts, run later and in order."""
    own.gateway.stop()
    record = orders.create("while it was down")
    own.pocketbase.stop()
    own.pocketbase.start()
    own.pocketbase.wait_healthy()
    orders.call("PATCH", f"orders/records/{record['id']}", {"status": "paid"})
    own.gateway.start()
    wait_until(lambda: len(own_notes.read("ship", id=record["id"])) == 2, 20)
    assert [each["operation"] for each in own_notes.read("ship")] == ["create", "update"]


def test_a_later_release_replaces_the_effects(
    own: Stack,
    orders: _Orders,
    own_notes: Notes,
    tmp_path: Path,
    start_release: Callable[[str], GatewayProcess],
) -> None:
    """Each process runs what it has; effects that the later release lacks end while it runs."""
    later = start_release(_HEAD + "app.after('orders', 'create')(note)")
    wait_until(lambda: httpx.get(f"{later.url}/ready", trust_env=False).is_success)
    ready = httpx.get(f"{own.gateway.url}/ready", trust_env=False)
    assert ready.status_code == 503
    assert "other effects" in ready.json()["message"]

    orders.create("new release")
    titles = tmp_path / "release0" / "notes"
    wait_until(lambda: titles.exists() and titles.read_text() == "new release\n")
    assert not own_notes.read("ship")

    later.kill()
    wait_until(lambda: httpx.get(f"{own.gateway.url}/ready", trust_env=False).is_success, 20)
    record = orders.create("old release")
    wait_until(lambda: own_notes.read("ship", id=record["id"]))
    assert titles.read_text() == "new release\n"


def test_an_app_without_effects_ends_them(
    orders: _Orders, start_release: Callable[[str], GatewayProcess]
) -> None:
    """No trigger is left."""
    assert orders.count_triggers() > 0
    start_release("from gateway import Gateway\napp = Gateway()")
    wait_until(lambda: orders.count_triggers() == 0)
    orders.create("no effect")
    assert not orders.list_work("after:tests.effects.orders.ship")


def test_changed_collections_keep_their_effects(
    own: Stack, orders: _Orders, own_notes: Notes
) -> None:
    """Columns can be removed and get another type; a renamed collection keeps its effects."""
    record = orders.create("before", tags=["a"], details={"size": 1})
    wait_until(lambda: own_notes.read("ship", id=record["id"]))
    fields = orders.call("GET", "orders")["fields"]
    kept = [each for each in fields if each["name"] != "details"]
    for each in kept:
        if each["name"] == "tags":
            each["maxSelect"] = 1
    orders.call("PATCH", "orders", {"fields": kept})
    assert not own_notes.read("ship", operation="update"), "the conversion of a column is no change"
    orders.call("PATCH", "orders", {"name": "purchases"})

    record = orders.create("after", "purchases", tags="a")
    [note] = wait_until(lambda: own_notes.read("ship", id=record["id"]))
    assert (note["record"]["tags"], "details" in note["record"]) == ("a", False)
    assert note["current"]["title"] == "after"


def test_a_collection_that_is_made_again_has_effects(orders: _Orders, own_notes: Notes) -> None:
    """By its name, from its first record on."""
    definition = orders.call("GET", "orders")
    orders.call("DELETE", "orders")
    fields = [each for each in definition["fields"] if not each.get("system")]
    rules = {"listRule": "", "createRule": ""}
    made = {
        "name": "orders",
        "type": "base",
        "fields": [{key: value for key, value in each.items() if key != "id"} for each in fields],
        **rules,
    }
    answer = orders.http.post("/api/collections", json=made)
    assert answer.is_success, answer.text
    record = orders.create("again")
    wait_until(lambda: own_notes.read("ship", id=record["id"]))


def test_a_field_that_is_removed_makes_the_gateway_unready(own: Stack, orders: _Orders) -> None:
    """The answer of /ready names file, line and column; the collection can be changed."""
    fields = orders.call("GET", "orders")["fields"]
    orders.call(
        "PATCH", "orders", {"fields": [each for each in fields if each["name"] != "status"]}
    )

    def is_named() -> bool:
        answer = httpx.get(f"{own.gateway.url}/ready", trust_env=False)
        return answer.status_code == 503 and "names the field status" in answer.text

    wait_until(is_named)
    orders.create("without the column")
