"""Trust between hooks and gateway: signed calls, and signed responses."""

import json
import time
from base64 import b64encode
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
from tests.frontend import Frontend
from tests.problem import read_problem
from tests.second_gateway import run_in_place
from tests.transforms.forger import forge_answers

_PATH = "/hooks/records"
NOTES = "/api/collections/notes/records"


def _call(**changed: Any) -> bytes:
    item = {
        "collection": "notes",
        "operation": "create",
        "sent": ["title"],
        "record": {"title": "by hand"},
        "original": None,
        "files": {},
    }
    return json.dumps({"user": None, "items": [item | changed]}).encode()


def make_secret() -> str:
    """A new secret for hooks."""
    return f"whsec_{b64encode(token_hex(24).encode()).decode()}"


@pytest.fixture
def post(records_stack: Stack) -> Callable[..., httpx.Response]:
    """Send a body to the endpoint with headers that are signed, or changed."""
    key = decode_hook_secret(records_stack.plan.hook_secrets)

    def send(
        body: bytes, *, age: int = 0, call_id: str = "", sent: bytes = b"", **changed: str
    ) -> httpx.Response:
        signed = sign(call_id or f"msg_{token_hex(8)}", int(time.time()) - age, body, key)
        headers = signed | {"content-type": "application/json"}
        headers |= {name.replace("_", "-"): value for name, value in changed.items()}
        url = records_stack.gateway.url + _PATH
        return httpx.post(url, content=sent or body, headers=headers, trust_env=False)

    return send


def test_a_signed_call_is_answered_and_signed(
    post: Callable[..., httpx.Response], records_stack: Stack
) -> None:
    """The answer's signature covers its body under the call's id and time."""
    asked = int(time.time()) - 7
    answer = post(_call(), call_id="msg_once", age=7)
    assert answer.json() == {"items": [{"values": {"slug": "by-hand", "kind": "plain"}}]}
    key = decode_hook_secret(records_stack.plan.hook_secrets)
    timestamp = int(answer.headers["webhook-timestamp"])
    assert asked <= timestamp <= asked + 2
    expected = sign("answer_msg_once", timestamp, answer.content, key)
    assert {name: answer.headers[name] for name in expected} == expected


def test_an_answer_that_changes_nothing_is_empty_and_signed(
    post: Callable[..., httpx.Response], records_stack: Stack
) -> None:
    """An unchanged record needs no body; its signature is valid for this call only."""
    record = {"title": "by hand", "slug": "by-hand", "kind": "plain"}
    answer = post(_call(record=record), call_id="msg_same")
    assert (answer.status_code, answer.content) == (204, b"")
    key = decode_hook_secret(records_stack.plan.hook_secrets)
    expected = sign("answer_msg_same", int(answer.headers["webhook-timestamp"]), b"", key)
    assert {name: answer.headers[name] for name in expected} == expected


def test_calls_that_are_not_signed_as_they_must_be_are_refused(
    post: Callable[..., httpx.Response],
) -> None:
    """Without a signature, with another's, altered, stale, early or replayed: 401."""
    body = _call()
    read_problem(post(body, webhook_signature=""), 401, "not-signed")
    read_problem(post(body, webhook_signature="v1,AAAA"), 401, "not-signed")
    read_problem(post(body, webhook_id="msg_other"), 401, "not-signed")
    read_problem(post(body, sent=body + b" "), 401, "not-signed")
    read_problem(post(body, age=120), 401, "not-signed")
    read_problem(post(body, age=-120), 401, "not-signed")
    assert post(body, call_id="msg_twice").status_code == 200
    read_problem(post(body, call_id="msg_twice"), 401, "not-signed")


def test_browsers_are_refused(post: Callable[..., httpx.Response], records_stack: Stack) -> None:
    """A page can't call it, not even with a signature, and gets no CORS headers."""
    origin = records_stack.plan.frontend_origins[0]
    answer = post(_call(), origin=origin)
    read_problem(answer, 403, "forbidden")
    assert "access-control-allow-origin" not in answer.headers
    read_problem(post(_call(), sec_fetch_site="cross-site"), 403, "forbidden")
    read_problem(post(_call(), content_type="text/plain"), 415)
    url = records_stack.gateway.url + _PATH
    for method in ("GET", "OPTIONS", "PUT"):
        read_problem(httpx.request(method, url, trust_env=False), 405)


def test_what_is_too_large_or_too_deep_is_refused(post: Callable[..., httpx.Response]) -> None:
    """A body beyond the limit is a 413, one that can't be read a 400."""
    read_problem(post(_call(record={"title": "x" * 9_000_000})), 413)
    deep = b'{"user":null,"items":' + b"[" * 5000 + b"]" * 5000 + b"}"
    read_problem(post(deep), 400)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        1,
        {},
        {"items": None},
        {"items": [1]},
        {"items": [{}]},
        {"items": [], "user": "me"},
        {"items": [{"collection": ["notes"]}]},
        {"items": [{"collection": "notes", "operation": "create", "record": []}]},
    ],
)
def test_signed_calls_of_another_form_are_refused(
    body: Any, post: Callable[..., httpx.Response]
) -> None:
    """A call that the hooks would never send is a 400, also when it is signed."""
    read_problem(post(json.dumps(body).encode()), 400)


@pytest.mark.parametrize(
    "changed",
    [
        {"collection": {}},
        {"collection": None},
        {"operation": []},
        {"record": "x"},
        {"original": 1},
        {"sent": "title"},
        {"files": []},
    ],
)
def test_signed_items_of_another_form_are_refused(
    changed: dict[str, Any], post: Callable[..., httpx.Response]
) -> None:
    """Each member of an item has its type."""
    read_problem(post(_call(**changed)), 400)


def test_signed_values_of_another_form_are_not_an_error_of_ours(
    post: Callable[..., httpx.Response],
) -> None:
    """Values of members can make a transform fail, but not the call."""
    for changed in ({"sent": [{}]}, {"files": {"image": [1]}}, {"files": {"image": 1}}):
        assert "failed" in post(_call(**changed)).json()["items"][0]


async def test_a_gateway_with_another_secret_is_not_registered(
    records_stack: Stack, board: Dashboard, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    """It is not ready, says why, and PocketBase's table stays what it was."""
    before = await board.list("gateway_transforms")
    with run_in_place(records_stack, tmp_path, GATEWAY_HOOK_SECRETS=make_secret()) as gateway:
        answer = await http.get(f"{gateway.url}/ready")
        problem = read_problem(answer, 503, "not-registered")
        assert await board.list("gateway_transforms") == before
    assert "GATEWAY_HOOK_SECRETS" in problem["detail"]


async def test_the_rotation_of_a_secret_interrupts_nothing(
    records_stack: Stack, client: Frontend, tmp_path: Path
) -> None:
    """A gateway that has a new secret before the old one serves a PocketBase that has the old."""
    secrets = f"{make_secret()},{records_stack.plan.hook_secrets}"
    with run_in_place(records_stack, tmp_path, GATEWAY_HOOK_SECRETS=secrets):
        made = await client.call("POST", NOTES, body={"title": "ro  tated"})
        assert made["slug"] == "ro-tated"


@pytest.mark.parametrize(
    "kind",
    ["unsigned", "reflected", "another's", "of another call", "stale", "altered", "empty", "error"],
)
async def test_answers_that_the_gateway_did_not_sign_are_not_believed(
    kind: str, client: Frontend, board: Dashboard, records_stack: Stack
) -> None:
    """An answer of another server lets no write pass, not even with on_failure="open"."""
    path = "/api/collections/gateway_transforms/records"
    rows = await board.list("gateway_transforms")
    with forge_answers(kind, decode_hook_secret(records_stack.plan.hook_secrets)) as url:
        for row in rows:
            await board.call("PATCH", f"{path}/{row['id']}", {"url": url})
        try:
            for collection in ("notes", "slow_open"):
                write = f"/api/collections/{collection}/records"
                answer = await client.http.post(write, json={"title": "forged"})
                assert answer.status_code == 503
        finally:
            for row in rows:
                await board.call("PATCH", f"{path}/{row['id']}", {"url": row["url"]})
