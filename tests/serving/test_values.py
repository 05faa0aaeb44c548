"""Unexpected values in every member of every request: never a 5xx."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.frontend import User
from tests.shop import ORIGIN, Shop, build_order

_BACK = f"{ORIGIN}/a"
_BODIES: dict[str, dict[str, Any]] = {
    "/checkout": build_order("pro_monthly") | {"promotion_code": "x", "organization": "o"},
    "/checkout/setup": {"success_url": _BACK, "cancel_url": _BACK, "organization": "o"},
    "/portal": {"return_url": _BACK, "organization": "o", "configuration": "bpc_1"},
    "/usage": {"meter": "m", "value": 1, "identifier": "i", "timestamp": 1, "user": "u"},
    "/subscriptions/sub_1/change": {"price": "p", "quantity": 1, "item": "i", "proration_date": 1},
    "/subscriptions/sub_1/cancel": {"when": "now", "comment": "c", "feedback": "other"},
    "/subscriptions/sub_1/discount": {"promotion_code": "c"},
}
_VALUES: list[str] = [
    json.dumps("\x00"),
    '"\\ud800"',
    json.dumps("‮😀"),
    json.dumps("x" * 20_000),
    "1e400",
    "-1e400",
    "NaN",
    "9" * 30,
    "9" * 5000,
    "1.5",
    "true",
    "null",
    "[]",
    "{}",
    "[" * 10_000 + "]" * 10_000,
    '{"a":' * 5_000 + "1" + "}" * 5_000,
    '{"__proto__": 1}',
]
_CASES = [(path, name) for path, body in _BODIES.items() for name in body]


@pytest.mark.parametrize(("path", "name"), _CASES)
async def test_no_value_is_an_error_of_ours(
    path: str, name: str, user_without_purchase: User, shop: Shop
) -> None:
    """No value of a member makes the response a 5xx, or long."""
    headers = user_without_purchase.bearer | {"Content-Type": "application/json"}
    for value in _VALUES:
        others = {key: given for key, given in _BODIES[path].items() if key != name}
        text = json.dumps(others)[:-1] + ("," if others else "") + f'"{name}": {value}' + "}"
        answer = await shop.http.post(shop.url + path, content=text, headers=headers)
        assert answer.status_code < 500, (value[:50], answer.text)
        assert len(answer.content) < 5_000, value[:50]


_TEXTS = ["\x00", "..", ".", "%", "é", "‮", "x" * 300, "x" * 20_000, "a'b", 'a"b', "a\nb", "a/b"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/checkout/{}"),
        ("GET", "/admin/events/{}"),
        ("GET", "/admin/events?type={}"),
        ("GET", "/admin/events?after={}"),
        ("GET", "/admin/reconcile?limit={}"),
        ("POST", "/subscriptions/{}/change"),
        ("POST", "/subscriptions/{}/cancel"),
        ("POST", "/{}"),
    ],
)
async def test_no_address_is_an_error_of_ours(
    method: str, path: str, user_without_purchase: User, superuser_token: str, shop: Shop
) -> None:
    """A value in a path, query or header never causes a 5xx."""
    token = superuser_token if "admin" in path else user_without_purchase.token
    for text in [*_TEXTS, b"\xff", b"\xed\xa0\x80"]:
        url = shop.url + path.format(quote(text, safe=""))
        body = None if method == "GET" else {}
        answer = await shop.http.request(method, url, json=body, headers={"Authorization": token})
        assert answer.status_code < 500, (text, answer.text)
        # "." ends in the address of the list, whose length depends on what other tests have stored.
        assert answer.is_success or len(answer.content) < 5_000, text
    for key in (b"\xff", b"x" * 300, b"a\tb"):
        headers = {b"Authorization": token.encode(), b"Idempotency-Key": key}
        url = shop.url + path.format("a")
        answer = await shop.http.request(method, url, json=body, headers=headers)
        assert answer.status_code < 500, (key, answer.text)
