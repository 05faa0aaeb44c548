"""Methods and paths as monitors, proxies and careless configurations use them."""

import sys
from collections.abc import Callable

import httpx
import pytest

from gateway.dev.ports import LOOPBACK
from gateway.dev.stack import Stack
from tests.delivery import Sender, build_event
from tests.frontend import Frontend
from tests.problem import read_problem
from tests.superuser import log_in_superuser


@pytest.mark.parametrize("path", ["/health", "/ready", "/docs", "/openapi.json"])
async def test_head_answers_as_get_without_a_body(
    path: str, stack: Stack, http: httpx.AsyncClient
) -> None:
    """Monitors that ask by HEAD get the status and headers of GET."""
    got = await http.get(stack.gateway.url + path)
    head = await http.head(stack.gateway.url + path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "content-length"):
        assert head.headers[name] == got.headers[name]


async def test_head_of_what_is_not_there(stack: Stack, http: httpx.AsyncClient) -> None:
    """HEAD is refused where GET is."""
    assert (await http.head(f"{stack.gateway.url}/nowhere")).status_code == 404
    answer = await http.head(f"{stack.gateway.url}/portal")
    assert (answer.status_code, answer.headers["allow"]) == (405, "OPTIONS, POST")


async def test_a_trailing_slash_changes_nothing(
    stack: Stack, http: httpx.AsyncClient, sender: Sender
) -> None:
    """No redirect, which Stripe does not follow and which loses bodies."""
    url = stack.gateway.url
    for slashes in ("/", "//"):
        sender.url = f"{url}/webhooks/stripe{slashes}"
        answer = await sender.send(build_event("some.type", {"object": "x"}))
        assert (answer.status_code, answer.json()["received"]) == (200, True)
    assert (await http.get(f"{url}/health/")).json() == {"status": "ok"}
    for path in ("/checkout/", "/portal/", "/admin/events/prune/", "/usage/"):
        read_problem(await http.post(url + path, json={}), 401)
    read_problem(await http.get(f"{url}/"), 404)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/checkout", "OPTIONS, POST"),
        ("/checkout/cs_1", "GET, HEAD, OPTIONS"),
        ("/admin/reconcile", "GET, HEAD, OPTIONS, POST"),
        ("/admin/events/replay", "GET, HEAD, OPTIONS, POST"),
        ("/subscriptions/sub_1/change", "OPTIONS, POST"),
        ("/health", "GET, HEAD, OPTIONS"),
    ],
)
async def test_allow_names_every_method_of_a_path(
    path: str, allowed: str, stack: Stack, http: httpx.AsyncClient
) -> None:
    """OPTIONS, and the refusal of another method, name what all routes of the path take."""
    options = await http.options(stack.gateway.url + path)
    assert (options.status_code, options.headers["allow"], options.content) == (204, allowed, b"")
    refused = await http.delete(stack.gateway.url + path)
    read_problem(refused, 405)
    assert refused.headers["allow"] == allowed


async def test_the_webhook_takes_only_post(stack: Stack, http: httpx.AsyncClient) -> None:
    """Other methods are told so."""
    for method in ("GET", "HEAD", "PUT", "OPTIONS"):
        answer = await http.request(method, f"{stack.gateway.url}/webhooks/stripe")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


_UVICORN = ["-m", "uvicorn", f"--host={LOOPBACK}"]
_SERVE = ["-m", "gateway", "serve", "--root-path=/shop"]
#: How the gateway is started, and what comes before its paths.
_ELSEWHERE = {
    "mounted in another app": ([*_UVICORN, "tests.serving.mounted:app"], "/shop"),
    "behind a proxy that strips the path": (_SERVE, ""),
    "behind a proxy that leaves the path": ([*_UVICORN, "tests.serving.rooted:app"], "/shop"),
}


@pytest.mark.parametrize("place", _ELSEWHERE)
async def test_every_path_is_served_below_another(
    place: str, fresh_stack: Callable[..., Stack], http: httpx.AsyncClient
) -> None:
    """Webhooks and PocketBase's hooks arrive there as all other requests do."""
    command, prefix = _ELSEWHERE[place]
    own = fresh_stack(
        start=False,
        GATEWAY_APP="tests.transforms.sample_transforms:app",
        GATEWAY_RATE_LIMIT_ADDRESS="100/minute",
    )
    gateway, url = own.gateway, own.gateway.url + prefix
    gateway.command = (sys.executable, *command, f"--port={own.plan.ports.gateway}")
    gateway.env["GATEWAY_PUBLIC_URL"] = url
    gateway.health_url = f"{url}/health"
    own.pocketbase.copy_migrated()
    own.pocketbase.ensure_superuser()
    for part in (own.pocketbase, gateway):
        part.start()
        part.wait_healthy()
    sender = Sender(http, url, own.plan.stripe.webhook_secrets[0])
    for path in ("/webhooks/stripe", "/webhooks/stripe/"):
        sender.url = url + path
        answer = await sender.send(build_event("some.type", {"object": "x"}))
        assert answer.json() == {"received": True, "outcome": "ignored"}
    read_problem(await http.post(f"{url}/hooks/records", json={}), 401)
    read_problem(await http.post(f"{url}/portal", json={}), 401)
    assert (await http.head(f"{url}/health")).status_code == 200
    options = await http.options(f"{url}/admin/reconcile")
    assert options.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    await _write_by_transform(own)
    for _ in range(110):  # Monitors are never counted.
        assert (await http.get(f"{url}/health")).status_code == 200


async def _write_by_transform(own: Stack) -> None:
    """A direct write reaches the transform."""
    fields = [{"name": name, "type": "text"} for name in ("title", "slug", "body", "kind")]
    fields += [{"name": "count", "type": "number"}]
    body = {"name": "notes", "type": "base", "fields": fields, "createRule": "", "viewRule": ""}
    async with Frontend(own.pocketbase.url) as frontend:
        token = log_in_superuser(own.pocketbase)
        await frontend.call("POST", "/api/collections", token=token, body=body)
        note = {"title": "From  elsewhere"}
        made = await frontend.call("POST", "/api/collections/notes/records", body=note)
    assert made["slug"] == "from-elsewhere"
