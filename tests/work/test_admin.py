"""/admin/work: what an operator does with background work over HTTP."""

from secrets import token_hex
from typing import Any

import httpx
import pytest

from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.problem import read_problem

_RECORDS = "/api/collections/gateway_work/records"


@pytest.fixture
async def parked(dashboard: Dashboard) -> dict[str, Any]:
    """A parked item of a handler that no gateway has."""
    values = {"kind": "task", "handler": f"tests.admin_{token_hex(4)}", "status": "parked"}
    due = {"due": "2026-01-01 00:00:00.000Z", "error": "broken", "attempts": 3, "tries": 3}
    row: dict[str, Any] = await dashboard.call("POST", _RECORDS, values | due)
    return row


async def test_an_operator_sees_and_changes_items(
    stack: Stack, http: httpx.AsyncClient, superuser_token: str, parked: dict[str, Any]
) -> None:
    """List, show, retry, cancel, pause and resume; the status counts them by handler."""
    headers = {"Authorization": f"Bearer {superuser_token}"}
    url = f"{stack.gateway.url}/admin/work"
    id, handler = parked["id"], parked["handler"]

    async def post(path: str, body: Any) -> int:
        answer = await http.post(f"{url}/{path}", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["changed"])

    query = {"status": "parked", "handler": handler}
    listed = await http.get(url, params=query, headers=headers)
    [item] = listed.json()["items"]
    assert (item["id"], item["error"], item["attempts"]) == (id, "broken", 3)
    shown = await http.get(f"{url}/{id}", headers=headers)
    assert shown.json()["handler"] == handler
    status = (await http.get(f"{url}/status", headers=headers)).json()
    assert {"handler": handler, "status": "parked", "number": 1} in [
        {name: each[name] for name in ("handler", "status", "number")} for each in status["counts"]
    ]
    assert status["parked"] >= 1
    assert await post("retry", {"parked": True, "handler": handler}) == 1
    assert await post("retry", {"ids": [id]}) == 1
    assert await post("cancel", {"ids": [id]}) == 1
    assert await post("pause", {"handler": handler}) == 1
    assert handler in (await http.get(f"{url}/status", headers=headers)).json()["paused"]
    assert await post("resume", {"handler": handler}) == 1
    assert (await http.get(f"{url}/{id}", headers=headers)).json()["status"] == "cancelled"


async def test_wrong_requests_are_refused(
    stack: Stack, http: httpx.AsyncClient, superuser_token: str
) -> None:
    """Without a superuser 401; an unknown item 404; a contradiction or a wrong status 400."""
    headers = {"Authorization": f"Bearer {superuser_token}"}
    url = f"{stack.gateway.url}/admin/work"
    assert (await http.get(url)).status_code == 401
    answer = await http.get(f"{url}/none00000000000", headers=headers)
    read_problem(answer, 404, "no-such-work")
    for path, body in (
        ("retry", {}),
        ("retry", {"ids": ["a"], "parked": True}),
        ("retry", {"handler": "mail"}),
        ("cancel", {"ids": []}),
        ("pause", {"handler": ""}),
    ):
        answer = await http.post(f"{url}/{path}", json=body, headers=headers)
        assert answer.status_code == 400, (path, body, answer.text)
    assert (await http.get(url, params={"status": "x"}, headers=headers)).status_code == 400


@pytest.mark.parametrize("name", ["a\x1fb", "a\x85", "\ufeff", "a'\"b", "{:handler}"])
async def test_a_handler_of_any_name_is_paused_once(
    name: str, stack: Stack, http: httpx.AsyncClient, superuser_token: str
) -> None:
    """Characters that PocketBase's filters drop lead neither to a second row nor to a failure."""
    headers = {"Authorization": f"Bearer {superuser_token}"}
    for action, changed in (("pause", 1), ("pause", 0), ("resume", 1), ("resume", 0)):
        url = f"{stack.gateway.url}/admin/work/{action}"
        answer = await http.post(url, json={"handler": name}, headers=headers)
        assert answer.json() == {"changed": changed}
