"""Every operation of the OpenAPI document, as callers who may not use it.

The operations come from the document, so that a new endpoint is tested with the others.
"""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from gateway.dev.stack import Stack
from tests.frontend import User
from tests.problem import read_problem
from tests.security.conftest import Owned
from tests.shop import ORIGIN, build_order

#: Operations that need no token, with what protects them instead.
PUBLIC = {
    "GET /health": "has no data",
    "GET /ready": "has no data besides states",
    "POST /webhooks/stripe": "Stripe's signature",
}
#: Operations with an optional token, with what protects them from guests.
OPTIONAL = {
    "GET /greeting": "has no data",
    "POST /checkout": "GATEWAY_GUEST_CHECKOUT",
    "GET /checkout/{session_id}": "the id of a guest's session; a user's needs the token",
    "POST /records/{collection}": "PocketBase's rules",
    "PATCH /records/{collection}/{record_id}": "PocketBase's rules",
    "POST /records/posts": "PocketBase's rules",
    "PATCH /records/posts/{record_id}": "PocketBase's rules",
    "POST /jobs/estimate-price": "declared for anyone",
    "GET /jobs/{job_id}": "the id of a guest's job; a user's needs the token",
    "POST /jobs/{job_id}/cancel": "the id of a guest's job; a user's needs the token",
    "GET /jobs/{job_id}/events": "the id of a guest's job; a user's needs the token",
}
#: A valid body by operation, so that nothing but the owner can be the reason of a refusal.
_BODIES: dict[str, Any] = {
    "POST /subscriptions/{subscription}/preview": {"price": "pro_monthly"},
    "POST /subscriptions/{subscription}/change": {"price": "pro_monthly"},
    "POST /subscriptions/{subscription}/cancel": {"when": "now"},
    "POST /subscriptions/{subscription}/resume": {},
    "POST /subscriptions/{subscription}/discount": {"promotion_code": "WELCOME20"},
    "PATCH /records/{collection}/{record_id}": {"title": "stolen"},
    "PATCH /records/posts/{record_id}": {"title": "stolen"},
}
#: The same for operations with an organization in the body.
_TEAM_BODIES: dict[str, Any] = {
    "POST /checkout": build_order("pro_monthly"),
    "POST /checkout/setup": {"success_url": f"{ORIGIN}/a", "cancel_url": f"{ORIGIN}/b"},
    "POST /portal": {"return_url": f"{ORIGIN}/a"},
    "POST /usage": {"meter": "tokens", "value": 1, "identifier": "a"},
}
_SUPERUSER_BODIES: dict[str, Any] = {
    "POST /usage/cancel": {"meter": "tokens", "identifier": "a", "user": "k2m7x0v9p4q1r8s"}
}
_OWN_EXAMPLES = ("/notes/",)
#: Not of the form of a token: refused before the body is read.
_UNREADABLE_TOKENS = ("", "x", "Bearer x", "Basic dXNlcjpwYXNz")


@pytest.fixture(scope="module")
def document(stack: Stack) -> dict[str, Any]:
    """The document that the gateway serves."""
    answer = httpx.get(f"{stack.gateway.url}/openapi.json", trust_env=False)
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


@pytest.fixture(scope="module")
def gateway(stack: Stack) -> Iterator[httpx.Client]:
    """A client of the gateway."""
    with httpx.Client(base_url=stack.gateway.url, trust_env=False, timeout=30) as client:
        yield client


def _list_operations(document: dict[str, Any]) -> dict[str, set[str]]:
    """Return the security schemes by operation; "" where a token is optional."""
    return {
        f"{method.upper()} {path}": {
            scheme for each in operation.get("security", [{}]) for scheme in each or [""]
        }
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def _send(
    gateway: httpx.Client, operation: str, ids: dict[str, str], token: str, body: Any = None
) -> httpx.Response:
    method, path = operation.split(" ")
    path = re.sub(r"\{(\w+)\}", lambda found: ids.get(found[1], "1"), path)
    headers = {"Authorization": token} if token else {}
    return gateway.request(method, path, headers=headers, json=body)


def _find_schema(document: dict[str, Any], operation: str) -> dict[str, Any]:
    """Return the schema of a JSON body, {} without one."""
    method, path = operation.split(" ")
    body = document["paths"][path][method.lower()].get("requestBody", {"content": {}})
    schema = body["content"].get("application/json", {}).get("schema", {})
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"][name] if name else schema
    return found


def _find_example(document: dict[str, Any], operation: str) -> Any:
    """Return a valid body, where possible as the document shows it."""
    body = {**_BODIES, **_TEAM_BODIES, **_SUPERUSER_BODIES}.get(operation)
    schema = _find_schema(document, operation)
    if body or not schema:
        return body
    if "examples" in schema:
        return schema["examples"][0]
    members = schema["properties"]
    return {name: member.get("examples", ["a"])[0] for name, member in members.items()}


def test_only_listed_operations_need_no_token(document: dict[str, Any]) -> None:
    """An endpoint without a token is a decision, with the protection that it has instead."""
    operations = _list_operations(document)
    assert {name for name, schemes in operations.items() if schemes == {""}} == PUBLIC.keys()
    optional = {name for name, schemes in operations.items() if "" in schemes} - PUBLIC.keys()
    assert optional == OPTIONAL.keys()


def test_operations_refuse_callers_without_a_valid_token(
    document: dict[str, Any], gateway: httpx.Client, owned: Owned, stack: Stack
) -> None:
    """401 whatever the body is; with a forged signature, as soon as the body is valid."""
    forged = owned.user.token[:-6] + ("A" * 6)
    for operation, schemes in _list_operations(document).items():
        if "" not in schemes:
            for token in _UNREADABLE_TOKENS:
                answer = _send(gateway, operation, owned.ids, token, {"unknown": 1})
                assert answer.status_code == 401, (operation, token, answer.text)
            body = _find_example(document, operation)
            answer = _send(gateway, operation, owned.ids, forged, body)
            assert answer.status_code == 401, (operation, answer.text)


def test_users_cannot_use_operations_of_superusers(
    document: dict[str, Any], gateway: httpx.Client, owned: Owned
) -> None:
    """403, for the owner of the objects as well."""
    found = 0
    for operation, schemes in _list_operations(document).items():
        if schemes == {"superuserToken"}:
            found += 1
            body = _find_example(document, operation)
            answer = _send(gateway, operation, owned.ids, owned.user.token, body)
            read_problem(answer, 403, "forbidden")
    assert found > 10


def _owned_operations(document: dict[str, Any]) -> list[str]:
    """Return the operations of users with an object's id in the path."""
    return [
        operation
        for operation, schemes in _list_operations(document).items()
        if schemes != {"superuserToken"}
        and re.search(r"\{(?!collection)", operation)
        and not any(path in operation for path in _OWN_EXAMPLES)
    ]


@pytest.mark.parametrize("caller", ["stranger", "guest"])
def test_objects_of_others_are_not_found(
    caller: str,
    document: dict[str, Any],
    gateway: httpx.Client,
    owned: Owned,
    stranger: User,
) -> None:
    """404 to another user, as for an id that does not exist; also as part of one's own request."""
    token = stranger.token if caller == "stranger" else ""
    operations = _owned_operations(document)
    assert len(operations) >= 11
    for operation in operations:
        body = _BODIES.get(operation)
        answer = _send(gateway, operation, owned.ids, token, body)
        unknown = _send(gateway, operation, {"collection": "posts"}, token, body)
        assert answer.status_code in (401, 403, 404), (operation, answer.text)
        assert answer.status_code == unknown.status_code, operation
        assert answer.text == unknown.text, operation


def test_the_organization_of_others_pays_nothing(
    document: dict[str, Any], gateway: httpx.Client, owned: Owned, stranger: User
) -> None:
    """Naming it is refused as naming one that does not exist."""
    for operation, schemes in _list_operations(document).items():
        members = _find_schema(document, operation).get("properties", {})
        if "organization" in members and schemes != {"superuserToken"}:
            assert operation in _TEAM_BODIES, f"add a valid body of {operation}"
    for operation, body in _TEAM_BODIES.items():
        texts = set()
        for organization in (owned.ids["organization"], "doesnotexist123"):
            sent = body | {"organization": organization}
            answer = _send(gateway, operation, {}, stranger.token, sent)
            assert answer.status_code in (403, 404), (operation, answer.text)
            texts.add(answer.text)
        assert len(texts) == 1, operation


def test_the_owner_reaches_the_objects(
    gateway: httpx.Client, owned: Owned, superuser_token: str
) -> None:
    """The ids of these tests exist: without an owner's refusal the requests succeed."""
    for operation in ("GET /checkout/{session_id}", "GET /jobs/{job_id}"):
        assert _send(gateway, operation, owned.ids, owned.user.token).status_code == 200
    preview = "POST /subscriptions/{subscription}/preview"
    answer = _send(gateway, preview, owned.ids, owned.user.token, {"price": "pro_monthly"})
    # Another group of prices: a refusal that only the owner gets.
    read_problem(answer, 400)
    event = _send(gateway, "GET /admin/events/{event}", owned.ids, superuser_token)
    assert event.status_code == 200
