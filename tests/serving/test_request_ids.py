"""Request ids: on every response and in the log line, whoever answers."""

import re
from secrets import token_hex

import httpx
import pytest

from gateway.dev.stack import Stack
from tests.shop import ORIGIN

_PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type",
}
_REQUESTS = {
    "success": ("GET", "/health", 200, {}),
    "head": ("HEAD", "/health", 200, {}),
    "not found": ("GET", "/nowhere", 404, {}),
    "method": ("GET", "/checkout", 405, {}),
    "token": ("POST", "/portal", 401, {"Authorization": "Bearer x"}),
    "preflight": ("OPTIONS", "/checkout", 200, _PREFLIGHT),
    "refused preflight": (
        "OPTIONS",
        "/checkout",
        400,
        _PREFLIGHT | {"Origin": "https://evil.test"},
    ),
    "too large": ("POST", "/checkout", 413, {"Content-Type": "application/json"}),
    "before FastAPI": ("POST", "/webhooks/stripe", 400, {}),
    "method before FastAPI": ("GET", "/webhooks/stripe", 405, {}),
}
_GENERATED = re.compile(r"[0-9a-f]{10}-[0-9]+")


@pytest.mark.parametrize(
    ("method", "path", "status", "headers"), _REQUESTS.values(), ids=_REQUESTS.keys()
)
async def test_each_response_has_one_id(
    method: str,
    path: str,
    status: int,
    headers: dict[str, str],
    stack: Stack,
    http: httpx.AsyncClient,
) -> None:
    """A given id is returned, a missing one is generated: on success, errors and preflights."""
    for given in (f"proxy-{token_hex(4)}", ""):
        sent = headers | ({"X-Request-Id": given} if given else {})
        body = b"x" * 2_000_000 if status == 413 else b""
        url = stack.gateway.url + path
        answer = await http.request(method, url, content=body, headers=sent)
        assert answer.status_code == status
        [found] = answer.headers.get_list("x-request-id")
        assert found == given if given else _GENERATED.fullmatch(found)


@pytest.mark.parametrize(
    "given",
    [
        "7b0e4a3c-6a0e-4c8e-9f3e-2b1d0c9a8f7e",
        "7b0e4a3c6a0e4c8e9f3e2b1d0c9a8f7e",
        "req_1.a-B",
        "x" * 64,
    ],
)
@pytest.mark.parametrize("path", ["/nowhere", "/webhooks/stripe"])
async def test_an_id_of_the_proxy_is_in_the_log(
    given: str, path: str, stack: Stack, http: httpx.AsyncClient
) -> None:
    """UUIDs, trace ids and other plain ids are taken over, and name the lines of the request."""
    given = token_hex(3) + given[6:]
    answer = await http.post(stack.gateway.url + path, headers={"X-Request-Id": given})
    assert answer.headers["x-request-id"] == given
    if path != "/nowhere":
        lines = stack.gateway.log.read_text().splitlines()
        [line] = [line for line in lines if f"request={given}" in line]
        assert "msg=problem" in line


@pytest.mark.parametrize(
    "given", ["x" * 65, "two words", "a\tb", "a=b", '"', "ü".encode(), "ü".encode("latin-1"), "a,b"]
)
@pytest.mark.parametrize("path", ["/nowhere", "/webhooks/stripe"])
async def test_any_other_id_is_replaced(
    given: str | bytes, path: str, stack: Stack, http: httpx.AsyncClient
) -> None:
    """An id that is too long or could break a log line is neither returned nor logged."""
    answer = await http.post(stack.gateway.url + path, headers={"X-Request-Id": given})
    assert _GENERATED.fullmatch(answer.headers["x-request-id"])


async def test_a_kept_connection_keeps_no_id(stack: Stack, http: httpx.AsyncClient) -> None:
    """Each request has an id of its own."""
    answers = [await http.get(f"{stack.gateway.url}/health") for _ in range(10)]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 10
