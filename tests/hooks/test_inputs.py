"""The routes of pb_hooks take what the gateway sends them, and refuse all else by a 400."""

import json
import re
from secrets import token_hex
from typing import Any

import httpx
import pytest
import pytest_asyncio

from gateway.dev.pocketbase import ROOT
from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.frontend import Frontend, User
from tests.shop import Shop, build_order

_BUYER = "/api/gateway/buyer"
_LONG = "x" * 60_000
#: Values that have another type than any member.
_ODD: list[Any] = [None, [], {}, 1, -1, 1.5, True, "", "x", _LONG, [{}], [[]], {"a": {}}, 10**40]
_MEMBERS = [
    "prices",
    "subscription",
    "organization",
    "order",
    "buyer",
    "number",
    "limit",
    "lease",
    "id",
    "version",
    "outcome",
    "error",
    "retry",
    "before",
    "dry_run",
    "user",
    "meter",
    "channels",
    "attempts",
    "status",
    "reason",
    "delay",
    "ids",
    "seconds",
    "from",
    "to",
    "subject",
    "text",
    "html",
    "headers",
    "token",
    "handlers",
    "lease_seconds",
    "settle",
    "renew",
    "again",
    "items",
    "handler",
    "paused",
]


@pytest_asyncio.fixture
async def user(frontend: Frontend) -> User:
    """A new user."""
    return await frontend.sign_up()


async def _ask(frontend: Frontend, user: User, body: Any) -> httpx.Response:
    headers = {"Authorization": user.token, "Content-Type": "application/json"}
    return await frontend.http.post(_BUYER, content=json.dumps(body), headers=headers)


@pytest.mark.parametrize(
    "body",
    [
        {"order": {"key": "a", "request_hash": _LONG}},
        {"order": {"key": "trial", "request_hash": ""}},
        {"order": {"key": "trial", "request_hash": "0" * 64}},
        {"order": {"key": "A" * 40, "request_hash": "0" * 64}},
        {"order": {"key": "0" * 40, "request_hash": "0" * 65}},
        {"order": {"key": "0" * 40 + "\n", "request_hash": "0" * 64}},
        {"order": {"key": ["0" * 40], "request_hash": "0" * 64}},
        {"order": {"key": {"toString": 1}, "request_hash": "0" * 64}},
        {"order": {"key": "0" * 40}},
        {"order": {"request_hash": "0" * 64}},
        {"order": "0" * 40},
        {"order": True},
        {"order": []},
        {"prices": "price_1"},
        {"prices": {"0": "price_1", "length": 1}},
        {"prices": [{"a": 1}]},
        {"prices": ["x" * 600]},
        {"prices": ["x"] * 501},
        {"subscription": ["sub_1"]},
        {"subscription": "x" * 600},
        {"organization": {"id": "a"}},
        {"organization": 1},
    ],
)
async def test_users_can_ask_only_what_the_gateway_asks(
    body: Any, frontend: Frontend, user: User, dashboard: Dashboard, shop: Shop
) -> None:
    """A body that the gateway would never send gets a 400 with the member, and stores nothing."""
    before = await dashboard.call("GET", "/api/collections/gateway_checkout_keys/records")
    answer = await _ask(frontend, user, body)
    assert answer.status_code == 400, answer.text
    assert len(answer.content) < 1000
    [name] = answer.json()["data"]
    assert name.split(".")[0] == next(iter(body))
    after = await dashboard.call("GET", "/api/collections/gateway_checkout_keys/records")
    assert after["totalItems"] == before["totalItems"]
    assert (await shop.post("/checkout", user, build_order("pro_monthly"))).status_code == 200


@pytest.mark.parametrize("body", ["null", "[]", "1", '"x"', "{", "", "[" * 30_000, "a=b"])
async def test_a_body_that_is_no_object_is_no_error_of_pocketbase(
    body: str, frontend: Frontend, user: User
) -> None:
    """It is an empty question, or a 400."""
    headers = {"Authorization": user.token, "Content-Type": "application/json"}
    answer = await frontend.http.post(_BUYER, content=body, headers=headers)
    assert answer.status_code in (200, 400)


async def test_what_the_gateway_asks_is_answered(frontend: Frontend, user: User) -> None:
    """Digests as key and request_hash, no key, and members of later versions."""
    key, request_hash = token_hex(20), token_hex(32)
    for order in (
        {"key": key, "request_hash": request_hash},
        {"key": "", "request_hash": ""},
        None,
    ):
        body = {"prices": ["pro_monthly"], "order": order, "organization": "", "later": 1}
        answer = await _ask(frontend, user, body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["user"]["id"] == user.id


def _find_paths() -> list[str]:
    hooks = "".join(path.read_text() for path in sorted((ROOT / "pb_hooks").glob("*.pb.js")))
    paths = re.findall(r'routerAdd\("POST", "([^"]+)"', hooks)
    steps = ("claim", "complete", "retry", "constructor", "toString")
    return [path.replace("{step}", step) for path in paths for step in steps if "{" in path] + [
        path for path in paths if "{" not in path
    ]


@pytest.mark.parametrize("path", _find_paths())
async def test_no_body_is_an_error_of_pocketbase(
    path: str, stack: Stack, superuser_token: str
) -> None:
    """No value of a member makes a route answer 5xx."""
    headers = {"Authorization": superuser_token, "Content-Type": "application/json"}
    async with httpx.AsyncClient(
        base_url=stack.pocketbase.url, headers=headers, trust_env=False, timeout=30
    ) as client:
        for value in _ODD:
            body = json.dumps(dict.fromkeys(_MEMBERS, value))
            answer = await client.post(path, content=body)
            assert answer.status_code < 500, (value, answer.text)
        for text in ("", "null", "[]", "{", "[" * 30_000, '"\\ud800"', "\x00", "{}\x1e{}"):
            answer = await client.post(path, content=text)
            assert answer.status_code < 500, (text[:20], answer.text)
