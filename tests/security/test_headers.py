"""Security headers of the gateway; those of the proxy are tested in tests/deploy."""

import re
from base64 import b64encode
from hashlib import sha256

import httpx
import pytest

from gateway.dev.stack import Stack
from tests.security.conftest import METRICS_TOKEN
from tests.shop import ORIGIN

_PREFLIGHT = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
_REQUESTS = {
    "success": ("GET", "/health", 200, {}),
    "problem": ("GET", "/nowhere", 404, {}),
    "refused token": ("POST", "/portal", 401, {}),
    "early route": ("POST", "/webhooks/stripe", 400, {}),
    "hook": ("POST", "/hooks/records", 415, {}),
    "preflight": ("OPTIONS", "/portal", 200, _PREFLIGHT),
    "document": ("GET", "/openapi.json", 200, {}),
    "metrics": ("GET", "/metrics", 200, {"Authorization": f"Bearer {METRICS_TOKEN}"}),
    "team's endpoint": ("GET", "/notes/1", 401, {}),
}


@pytest.mark.parametrize(
    ("method", "path", "status", "headers"), _REQUESTS.values(), ids=_REQUESTS.keys()
)
def test_every_response_has_security_headers(
    method: str, path: str, status: int, headers: dict[str, str], stack: Stack
) -> None:
    """Success, errors, preflights, and routes before FastAPI's."""
    answer = httpx.request(method, stack.gateway.url + path, headers=headers, trust_env=False)
    assert answer.status_code == status
    expected = {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-site",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "cache-control": "no-store",
    }
    assert {name: answer.headers.get(name) for name in expected} == expected
    assert "server" not in answer.headers


def test_an_endpoint_can_set_its_own_headers(stack: Stack) -> None:
    """A header of the response is kept, once; a page of a team may load what the team decides."""
    answer = httpx.get(f"{stack.gateway.url}/page", trust_env=False)
    assert answer.headers.get_list("cache-control") == ["public, max-age=60"]
    assert answer.headers["content-security-policy"] == "frame-ancestors 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_policy_of_docs_allows_the_page_and_nothing_else(stack: Stack) -> None:
    """Its inline script is allowed by hash; scripts of other hosts and `eval` are not."""
    page = httpx.get(f"{stack.gateway.url}/docs", trust_env=False)
    policy = dict(
        directive.split(" ", 1) for directive in page.headers["content-security-policy"].split("; ")
    )
    [script] = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert policy["script-src"] == f"'self' 'sha256-{digest}'"
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert sources
    assert all(source.startswith("/docs/assets/") for source in sources)


def test_files_of_docs_are_revalidated(stack: Stack) -> None:
    """Browsers may keep files that have an ETag."""
    asset = httpx.get(f"{stack.gateway.url}/docs/assets/swagger-ui.css", trust_env=False)
    assert "cache-control" not in asset.headers
    assert asset.headers["etag"]
