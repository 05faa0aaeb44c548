"""The documentation: complete, and served without a single request to another host."""

import json
import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from gateway.dev.pocketbase import ROOT
from gateway.dev.stack import Stack

Json = dict[str, Any]


class _References(HTMLParser):
    """Collects what a page loads, and its inline scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("src", "href") and value]


@pytest.fixture(scope="module")
def document(stack: Stack) -> Json:
    """The OpenAPI document."""
    answer = httpx.get(f"{stack.gateway.url}/openapi.json", trust_env=False)
    found: Json = answer.raise_for_status().json()
    return found


def _operations(document: Json) -> dict[str, Json]:
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in ("get", "post", "put", "patch", "delete")
    }


def test_docs_load_nothing_from_another_host(stack: Stack) -> None:
    """Every script, style and icon of /docs comes from the gateway, and is there."""
    page = httpx.get(f"{stack.gateway.url}/docs", trust_env=False).raise_for_status()
    references = _References()
    references.feed(page.text)
    assert len(references.found) >= 3
    hosts = {urlsplit(found).netloc for found in re.findall(r"(?:https?:)?//[\w.:-]+", page.text)}
    assert hosts <= {urlsplit(stack.gateway.url).netloc}
    for found in references.found:
        asset = httpx.get(urljoin(str(page.url), found), trust_env=False)
        assert asset.status_code == 200, found
        assert len(asset.content) > 100
    for style in (found for found in references.found if found.endswith(".css")):
        text = httpx.get(urljoin(str(page.url), style), trust_env=False).text
        assert not re.search(r"""(url\(|@import)\s*["']?(https?:)?//""", text)


def test_docs_show_the_openapi_document(stack: Stack) -> None:
    """The page asks for the document by a path that leads to it."""
    page = httpx.get(f"{stack.gateway.url}/docs", trust_env=False).text
    [path] = re.findall(r"url: '([^']+)'", page)
    answer = httpx.get(urljoin(stack.gateway.url, path), trust_env=False)
    assert answer.json()["openapi"].startswith("3.")


def test_the_document_that_is_served_is_the_one_in_docs(document: Json) -> None:
    """Clients that are generated from docs/openapi.json fit a running gateway."""
    assert document == json.loads((ROOT / "docs" / "openapi.json").read_text())


def test_every_operation_says_what_it_does(document: Json) -> None:
    """Each has a summary, a description and a success that is described."""
    operations = _operations(document)
    expected = {"POST /checkout", "POST /portal", "POST /webhooks/stripe", "GET /health"}
    assert expected | {"GET /ready"} <= set(operations)
    names = [operation["operationId"] for operation in operations.values()]
    assert len(set(names)) == len(names)
    for name, operation in operations.items():
        assert operation["summary"], name
        assert operation["description"], name
        assert any(status.startswith("2") for status in operation["responses"]), name


def test_every_error_is_a_problem_with_an_example(document: Json) -> None:
    """Each documented error is problem+json, with an example that is one; 422 is never sent."""
    for name, operation in _operations(document).items():
        errors = {s: e for s, e in operation["responses"].items() if s[0] in "45"}
        # Only /health can't fail: it calls no other service.
        assert errors or name == "GET /health", name
        for status, entry in errors.items():
            assert status != "422", name
            [(media_type, content)] = entry["content"].items()
            assert media_type == "application/problem+json", name
            assert content["examples"], name
            for example in content["examples"].values():
                problem = example["value"]
                assert problem["status"] == int(status)
                assert problem["title"]
                assert problem["message"] == problem["detail"]
                assert "data" in problem


_BILLING = [
    "/portal",
    "/usage",
    *(
        f"/subscriptions/{{subscription}}/{what}"
        for what in ("preview", "change", "cancel", "resume", "discount")
    ),
]


@pytest.mark.parametrize("path", ["/checkout", *_BILLING])
def test_what_needs_a_token_says_so(path: str, document: Json) -> None:
    """A purchase needs a bearer token; the scheme says where it comes from."""
    operation = document["paths"][path]["post"]
    # A second one is empty, where GATEWAY_GUEST_CHECKOUT makes the token optional.
    requirement, *_ = operation["security"]
    [name] = requirement
    scheme = document["components"]["securitySchemes"][name]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert "authStore" in scheme["description"]
    assert "401" in operation["responses"]


@pytest.mark.parametrize("path", ["/checkout", "/webhooks/stripe", *_BILLING])
def test_a_body_and_its_answer_have_examples(path: str, document: Json) -> None:
    """Requests and responses have examples."""
    operation = document["paths"][path]["post"]
    for holder in (operation["requestBody"], operation["responses"]["200"]):
        content = holder["content"]["application/json"]
        schema = content.get("schema", {})
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        members = schema.get("properties", {}).values()
        assert (
            "example" in content
            or "examples" in schema
            or all("examples" in member for member in members)
        )


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("GET", "/checkout", 405), ("DELETE", "/health", 405)],
)
def test_what_does_not_exist_is_a_problem_too(
    method: str, path: str, status: int, stack: Stack
) -> None:
    """Unknown paths and methods are answered in the same form."""
    answer = httpx.request(method, stack.gateway.url + path, trust_env=False)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["message"]
