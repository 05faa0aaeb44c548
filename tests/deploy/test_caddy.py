"""The proxy's configuration, with the real Caddy before PocketBase and the gateway."""

import json
import re
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from http.client import HTTPConnection
from ipaddress import IPv4Address
from typing import Any

import httpx
import pytest

from gateway.dev.plan import plan_throwaway
from gateway.dev.pocketbase import ROOT, PocketBaseProcess
from gateway.dev.stack import Stack
from tests.deadline import wait_until
from tests.deploy.caddy import CADDYFILE, CaddyProcess, open_client
from tests.deploy.expressions import check_samples
from tests.problem import read_problem

_LIMIT = 2
_VISITORS = [str(IPv4Address("127.0.1.1") + number) for number in range(250)]
_SETTINGS = {
    "GATEWAY_RATE_LIMIT_ADDRESS": f"{_LIMIT}/hour",
    "GATEWAY_TRUSTED_PROXIES": "127.0.0.1",
}


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """PocketBase and a gateway that trust the proxy, as under compose."""
    made = Stack(plan_throwaway(tmp_path_factory.mktemp("origin"), _SETTINGS))
    made.pocketbase.env["POCKETBASE_TRUSTED_PROXY_HEADERS"] = "X-Forwarded-For"
    with made:
        yield made


@pytest.fixture(scope="module")
def caddy(origin: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CaddyProcess]:
    """Caddy with a frontend and a closed dashboard."""
    folder = tmp_path_factory.mktemp("caddy")
    settings = {"CADDY_CLOSED_PATHS": "/_/* /admin/*", "CADDY_MAX_UPLOAD": "1MB"}
    made = CaddyProcess(origin, folder, settings)
    (made.frontend / "assets").mkdir(parents=True)
    (made.frontend / "index.html").write_text("the frontend")
    (made.frontend / "assets" / "app.js").write_text("the script")
    made.start()
    try:
        made.wait_healthy()
        yield made
    finally:
        made.stop()


@pytest.fixture
def browser(caddy: CaddyProcess) -> Iterator[httpx.Client]:
    """A client of the public port."""
    with open_client(caddy.url) as client:
        yield client


def test_one_origin(browser: httpx.Client) -> None:
    """PocketBase, the gateway and the frontend answer at one address."""
    assert browser.get("/api/health").json()["message"] == "API is healthy."
    assert browser.get("/ready").json()["status"] == "ok"
    assert read_problem(browser.post("/webhooks/stripe", content=b"{}"), 400)
    assert browser.get("/assets/app.js").text == "the script"
    for page in ("/", "/account/billing"):
        assert browser.get(page).text == "the frontend"
    assert browser.get("/assets/gone.js").status_code == 404


def test_every_path_of_the_gateway_is_its_own() -> None:
    """A new endpoint of the gateway is in the proxy's list as well."""
    [patterns] = re.findall(r"@gateway path (.*) \{", CADDYFILE.read_text())
    document = json.loads((ROOT / "docs" / "openapi.json").read_text())
    for path in [*document["paths"], "/hooks/records", "/records/x", "/docs", "/openapi.json"]:
        assert any(fnmatchcase(path, pattern) for pattern in patterns.split()), path


@pytest.mark.parametrize(
    "path",
    ["/hooks/records", "//hooks/records", "/HOOKS/records", "/%68ooks/records", "/_/", "/_/a"],
)
def test_a_closed_path_is_open_on_this_machine_only(path: str, caddy: CaddyProcess) -> None:
    """Closed paths answer 404 as a problem, however they are spelt."""
    for url, is_closed in ((caddy.url, True), (caddy.internal_url, False)):
        with open_client(url) as client:
            answer = client.request("POST" if "ooks" in path.lower() else "GET", url + path)
        assert ("The proxy answers" in answer.text) == is_closed, answer.text
        if is_closed:
            read_problem(answer, 404)


@pytest.mark.parametrize(
    "path",
    [
        "/admin/events",
        "//admin/events",
        "/admin//events",
        "/%61dmin/events",
        "/admin%2Fevents",
        "/admin/events/",
        "/Admin/events",
        "/./admin/events",
        "/checkout/../admin/events",
        "/checkout/%2e%2e/admin/events",
        "/checkout/..%2fadmin/events",
        "/admin/events?x=/checkout",
        "/admin;x/events",
        "/_/../admin/events",
    ],
)
def test_no_spelling_opens_a_closed_path(path: str, caddy: CaddyProcess) -> None:
    """The gateway never answers: its refusal would name the superuser that it needs."""
    connection = HTTPConnection("127.0.0.1", caddy.port, timeout=30)
    connection.putrequest("GET", path, skip_accept_encoding=True)
    connection.endheaders()
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.status in (400, 404) or text == "the frontend", (answer.status, text)
    assert "superuser" not in text


def test_visitors_have_their_own_limits(caddy: CaddyProcess) -> None:
    """250 visitors get 250 limits at the gateway; a forged header gives none of them another."""
    assert _visit_all(caddy.url, "POST", "/checkout") == {(401,) * _LIMIT + (429,): 250}


def test_visitors_have_their_own_limits_at_pocketbase(caddy: CaddyProcess, origin: Stack) -> None:
    """PocketBase counts by the visitor's address as well."""
    rule = {"label": "GET /api/health", "audience": "", "duration": 3600, "maxRequests": _LIMIT}
    _change_settings(origin.pocketbase, {"rateLimits": {"enabled": True, "rules": [rule]}})
    try:
        found = _visit_all(caddy.url, "GET", "/api/health")
    finally:
        _change_settings(origin.pocketbase, {"rateLimits": {"enabled": False}})
    assert found == {(200,) * _LIMIT + (429,): 250}


def _visit_all(url: str, method: str, path: str) -> Counter[tuple[int, ...]]:
    """Return how many visitors got which statuses for one request more than the limit."""

    def visit(address: str) -> tuple[int, ...]:
        forged = [{"X-Forwarded-For": f"10.0.0.{number}"} for number in range(_LIMIT + 1)]
        with open_client(url, address) as client:
            return tuple(client.request(method, path, headers=each).status_code for each in forged)

    with ThreadPoolExecutor(8) as pool:
        return Counter(pool.map(visit, _VISITORS))


def _change_settings(pocketbase: PocketBaseProcess, change: dict[str, Any]) -> None:
    credentials = {
        "identity": pocketbase.superuser_email,
        "password": pocketbase.superuser_password,
    }
    with open_client(pocketbase.url) as client:
        login = client.post("/api/collections/_superusers/auth-with-password", json=credentials)
        headers = {"Authorization": login.json()["token"]}
        client.patch("/api/settings", json=change, headers=headers).raise_for_status()


def test_realtime_is_not_buffered(caddy: CaddyProcess) -> None:
    """The first message arrives while the response goes on, over TLS as well."""
    context = ssl.create_default_context(cafile=str(caddy.authority))
    for url in (caddy.url, caddy.tls_url):
        with (
            open_client(url, verify=context) as client,
            client.stream(
                "GET", "/api/realtime", headers={"Accept": "text/event-stream"}
            ) as answer,
        ):
            lines = answer.iter_lines()
            assert "PB_CONNECT" in next(line for line in lines if line.startswith("event:"))


def test_sizes_are_bounded(browser: httpx.Client) -> None:
    """A large upload is refused as a problem, a large head without reading on."""
    body = {"name": "a" * (1 << 20)}
    read_problem(browser.post("/api/collections/users/records", json=body), 413)
    assert browser.get("/", headers={"X-Large": "a" * (1 << 17)}).status_code == 431


def test_only_tls_is_pinned(caddy: CaddyProcess, browser: httpx.Client) -> None:
    """Browsers learn from HTTPS alone that the domain has it."""
    context = ssl.create_default_context(cafile=str(caddy.authority))
    with open_client(caddy.tls_url, verify=context) as client:
        answer = client.get("/api/health")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    plain = browser.get("/api/health").headers
    assert "strict-transport-security" not in plain
    assert "server" not in plain


@pytest.mark.parametrize("path", ["/", "/api/health", "/health", "/hooks/records"])
def test_responses_have_security_headers(path: str, browser: httpx.Client) -> None:
    """The frontend's, PocketBase's and Caddy's get defaults; the gateway's are kept, each once."""
    headers = browser.get(path).headers
    assert "server" not in headers
    assert len(headers.get_list("x-request-id")) == (path != "/")
    policies = headers.get_list("content-security-policy")
    is_gateway = path == "/health"
    assert len(policies) == 1
    assert ("default-src" in policies[0]) == is_gateway
    assert headers.get_list("x-frame-options") == ["DENY" if is_gateway else "SAMEORIGIN"]
    assert headers.get_list("x-content-type-options") == ["nosniff"]
    referrer = "no-referrer" if is_gateway else "strict-origin-when-cross-origin"
    assert headers.get_list("referrer-policy") == [referrer]


def test_the_access_log_has_ids_and_no_secrets(caddy: CaddyProcess, browser: httpx.Client) -> None:
    """A line has the request id that the gateway logs, and neither tokens nor signatures."""
    secret = {"Authorization": "Bearer tok-secret", "Stripe-Signature": "sig-secret"}
    answer = browser.get("/ready?token=query-secret", headers=secret)
    request = answer.headers["x-request-id"]
    for path in (
        "/api/collections/users/records?filter=email='ann-secret@example.com'",
        "/confirm/eyJhbGciOiJI.eyJpZCI6-secret.c2ln-_a",
        "/unsubscribe/ann-secret@example.com?next=/shop",
        "/unsubscribe/ann-secret%40example.com",
    ):
        request = browser.get(path).headers["x-request-id"]
    wait_until(lambda: request in caddy.log.read_text())
    text = caddy.log.read_text()
    assert "-secret" not in text
    assert not re.search(r"sig-|tok-|eyJ|ann-", text)
    for path in ("/ready<masked>", "/confirm/<masked>", "/unsubscribe/<masked>"):
        assert path in text.replace("\\u003c", "<").replace("\\u003e", ">")


def test_the_metrics_are_for_this_machine_only(caddy: CaddyProcess, browser: httpx.Client) -> None:
    """Requests by status are at the internal port; the public port has no such page."""
    browser.get("/api/health")
    with open_client(caddy.internal_url) as client:
        check_samples(client.get("/caddy-metrics").text, "caddy_")
    assert browser.get("/caddy-metrics").text == "the frontend"


def test_pocketbase_answers_with_the_id_of_the_request(
    caddy: CaddyProcess, browser: httpx.Client
) -> None:
    """A browser that reports an error of PocketBase can name the line of Caddy's access log."""
    forged = {"X-Request-Id": "chosen-by-the-browser"}
    [request] = browser.get("/api/health", headers=forged).headers.get_list("x-request-id")
    assert request != forged["X-Request-Id"]
    wait_until(lambda: f'"request_id":"{request}"' in caddy.log.read_text())


def test_a_restart_of_a_gateway_delays_requests(origin: Stack, caddy: CaddyProcess) -> None:
    """A request that can't be sent waits for a gateway instead of failing."""
    origin.gateway.stop()
    answers: list[httpx.Response] = []

    def post() -> None:
        with open_client(caddy.internal_url) as client:
            answers.append(client.post("/webhooks/stripe", content=b"{}"))

    waiting = threading.Thread(target=post)
    waiting.start()
    waiting.join(0.5)
    assert not answers
    origin.gateway.start()
    waiting.join(20)
    read_problem(answers[0], 400)
