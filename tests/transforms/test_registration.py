"""The stored table of transforms, and the writes that pass through it."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
import pytest

from gateway.dev.stack import Stack
from gateway.settings import decode_hook_secret
from gateway.transforms.hook_signature import sign
from tests.dashboard import Dashboard
from tests.deadline import wait_until
from tests.frontend import Frontend
from tests.problem import read_problem
from tests.second_gateway import run_in_place
from tests.transforms.sample_transforms import TRANSFORMS

NOTES = "/api/collections/notes/records"
ROUTE = "/api/gateway/transforms"


async def _read_table(board: Dashboard) -> set[tuple[str, str]]:
    rows = await board.list("gateway_transforms")
    return {(row["collection"], row["operation"]) for row in rows}


async def test_pocketbase_keeps_the_table(board: Dashboard) -> None:
    """One row a collection and operation, with what the hook needs."""
    wanted = {(item.collection, name) for item in TRANSFORMS for name in item.operations}
    assert await _read_table(board) == wanted
    [row] = await board.list("gateway_transforms", "collection = 'slow_open'")
    assert (row["timeout"], row["on_failure"], row["files"]) == (0.2, "open", False)


async def test_what_is_no_longer_in_the_table_is_removed(
    records_stack: Stack, client: Frontend, board: Dashboard, tmp_path: Path
) -> None:
    """A gateway with a smaller table leaves the other collections alone from its start on."""
    env = {"GATEWAY_APP": "tests.transforms.small_transforms:app"}
    with run_in_place(records_stack, tmp_path, **env):
        assert await _read_table(board) == {("notes", "create")}
        made = await client.call("POST", "/api/collections/mirrors/records", body={"title": "a"})
        assert made["seen"] is None
        note = await client.call("POST", NOTES, body={"title": "A  Note"})
        assert note["slug"] == "a-note"
    made = await client.call("POST", "/api/collections/mirrors/records", body={"title": "a"})
    assert made["seen"]["operation"] == "create"


async def _register(stack: Stack, board: Dashboard, key: bytes, started: int) -> int:
    """Register an empty table; return the status of the answer."""
    table: dict[str, Any] = {"url": "http://127.0.0.1:9", "started": started, "transforms": []}
    body = json.dumps(table | {"superusers": True, "max_bytes": 1000}).encode()
    headers = sign(f"msg_{token_hex(8)}", int(time.time()), body, key)
    headers |= {"Authorization": board.token, "Content-Type": "application/json"}
    answer = await board.frontend.http.post(ROUTE, content=body, headers=headers)
    return answer.status_code


async def test_an_earlier_gateway_does_not_take_the_table_back(
    records_stack: Stack, board: Dashboard
) -> None:
    """While one version replaces another, the one that started last has the say."""
    before = await _read_table(board)
    key = decode_hook_secret(records_stack.plan.hook_secrets)
    assert await _register(records_stack, board, key, started=1) == 200
    assert await _read_table(board) == before


async def test_a_gateway_whose_table_does_not_hold_says_so(
    records_stack: Stack, board: Dashboard, tmp_path: Path
) -> None:
    """Its clock may be behind: it is not ready and logs that another table is in force."""
    before = await _read_table(board)
    [row] = await board.list("gateway_transforms", "collection = 'slow_open'")
    path = f"/api/collections/gateway_transforms/records/{row['id']}"
    await board.call("PATCH", path, {"started": int(time.time() * 1000) + 3_600_000})
    env = {"GATEWAY_APP": "tests.transforms.small_transforms:app"}
    with run_in_place(records_stack, tmp_path, **env) as gateway:
        try:
            answer = await board.frontend.http.get(f"{gateway.url}/ready")
            detail = read_problem(answer, 503)["detail"]
            assert "A gateway that started later" in detail
            assert gateway.log.read_text().count("A gateway that started later") >= 1
            assert await _read_table(board) == before
        finally:
            await board.call("PATCH", path, {"started": row["started"]})


async def test_a_table_that_is_not_signed_is_refused(
    records_stack: Stack, board: Dashboard
) -> None:
    """A superuser's token alone replaces no table."""
    before = await _read_table(board)
    later = int(time.time() * 1000) + 60_000
    assert await _register(records_stack, board, b"a key of somebody else's", later) == 400
    assert await _read_table(board) == before


async def test_a_renamed_collection_keeps_its_transform(
    records_stack: Stack, client: Frontend, board: Dashboard
) -> None:
    """PocketBase finds it by id: neither a new name nor the gateway's restart opens a gap."""
    path = "/api/collections/notes"
    renamed = await board.call("PATCH", path, {"name": "renamed_notes"})
    try:
        records = f"/api/collections/{renamed['id']}/records"
        assert (await client.call("POST", records, body={"title": "A  B"}))["slug"] == "a-b"
        records_stack.gateway.restart()
        assert (await client.call("POST", records, body={"title": "B  C"}))["slug"] == "b-c"
    finally:
        await board.call("PATCH", f"/api/collections/{renamed['id']}", {"name": "notes"})


async def test_a_new_field_is_seen_at_once(client: Frontend, board: Dashboard) -> None:
    """Cached fields of a collection are read again when the collection changes."""
    path = "/api/collections/mirrors"
    fields = (await board.call("GET", path))["fields"]
    more = [*fields, {"name": "added", "type": "text"}]
    await board.call("PATCH", path, {"fields": more})
    try:
        made = await client.call("POST", f"{path}/records", body={"added": "now"})
        assert made["seen"]["sent"] == ["added"]
    finally:
        await board.call("PATCH", path, {"fields": fields})


@pytest.mark.parametrize(("setting", "slug"), [("true", "a-b"), ("false", "")])
async def test_other_superusers_pass_through_or_go_around(
    setting: str,
    slug: str,
    records_stack: Stack,
    client: Frontend,
    board: Dashboard,
    tmp_path: Path,
) -> None:
    """The gateway's own superuser always goes around; the setting says what others do."""
    password = token_hex(8)
    email = f"{token_hex(6)}@example.com"
    body = {"email": email, "password": password, "passwordConfirm": password}
    other = await board.call("POST", "/api/collections/_superusers/records", body)
    token = await client.log_in(email, password, "_superusers")
    try:
        changed = {"GATEWAY_TRANSFORM_SUPERUSER_WRITES": setting}
        with run_in_place(records_stack, tmp_path, **changed) as gateway:
            gateway.wait_ready()  # Until then PocketBase has the former gateway's table.
            made = await client.call("POST", NOTES, token=token, body={"title": "A  B"})
            assert made["slug"] == slug
            own = await board.call("POST", NOTES, {"title": "A  B"})
            assert own["slug"] == ""
    finally:
        await board.call("DELETE", f"/api/collections/_superusers/records/{other['id']}")


def test_a_gateway_that_starts_first_registers_as_soon_as_it_can(
    fresh_stack: Callable[..., Stack],
) -> None:
    """Without PocketBase it is not ready; when that comes, it is told the table at once."""
    stack = fresh_stack(start=False, GATEWAY_APP="tests.transforms.small_transforms:app")
    stack.pocketbase.copy_migrated()
    stack.pocketbase.ensure_superuser()
    stack.gateway.start()
    stack.gateway.wait_healthy()
    ready = f"{stack.gateway.url}/ready"
    assert httpx.get(ready, trust_env=False).status_code == 503
    stack.pocketbase.start()
    wait_until(lambda: httpx.get(ready, trust_env=False).is_success, within=30)
