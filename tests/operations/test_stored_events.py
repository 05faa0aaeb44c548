"""Looking at stored events: `gateway events list` and `show`, and the same under /admin."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from gateway.dev.stack import Stack
from tests.delivery import Sender, build_customer, build_event
from tests.frontend import Frontend
from tests.operations.operator import run_gateway
from tests.problem import read_problem

Json = dict[str, Any]
Ask = Callable[..., Awaitable[httpx.Response]]

ROUTES = [
    ("GET", "/admin/events", None),
    ("GET", "/admin/events/evt_1", None),
    ("POST", "/admin/events/replay", {"ids": ["evt_1"]}),
    ("POST", "/admin/events/prune", {"dry_run": True}),
    ("GET", "/admin/reconcile", None),
    ("POST", "/admin/reconcile", {"dry_run": True}),
]


@pytest.fixture
def ask(http: httpx.AsyncClient, stack: Stack, superuser_token: str) -> Ask:
    """Call the admin API as a superuser."""

    async def send(method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {superuser_token}"}
        url = f"{stack.gateway.url}/admin/{path}"
        return await http.request(method, url, json=body, headers=headers, params=query)

    return send


async def _send_story(sender: Sender) -> list[Json]:
    """Deliver three states of one customer, a minute apart."""
    customer = build_customer("nobody")
    story = [
        build_event("customer.created", customer, created=1_700_000_000),
        build_event("customer.updated", customer | {"name": "A"}, created=1_700_000_060),
        build_event("customer.updated", customer | {"name": "B"}, created=1_700_000_120),
    ]
    for event in story:
        assert (await sender.send(event)).status_code == 200
    return story


async def test_list_shows_events_newest_first(stack: Stack, sender: Sender) -> None:
    """`events list --object` shows the object's events, newest first, with what became of them."""
    story = await _send_story(sender)
    customer = story[0]["data"]["object"]["id"]
    listed = await run_gateway(stack, "events", "list", "--object", customer)
    assert listed.code == 0, listed.err
    assert [line.split()[2] for line in listed.lines] == [event["id"] for event in story[::-1]]
    assert listed.lines[0].split()[3:] == ["applied", "customer.updated", customer]


async def test_show_prints_what_stripe_sent(stack: Stack, sender: Sender) -> None:
    """`events show --json` prints the row with the payload as it was sent."""
    event = (await _send_story(sender))[2]
    shown = await run_gateway(stack, "events", "show", event["id"], "--json")
    assert json.loads(shown.out)["payload"] == event


async def test_unknown_event_is_named(stack: Stack) -> None:
    """A command that can't do its work says why in one sentence and exits with 1."""
    shown = await run_gateway(stack, "events", "show", "evt_nowhere")
    assert (shown.code, shown.out, shown.err) == (1, "", "evt_nowhere is not stored.\n")


async def test_listing_takes_type_and_time(sender: Sender, ask: Ask) -> None:
    """The API lists by object, type with a wildcard, and time of creation."""
    story = await _send_story(sender)
    about = {"object": story[0]["data"]["object"]["id"]}

    async def list_ids(**query: str | int) -> list[str]:
        answer = await ask("GET", "events", **about, **query)
        return [event["id"] for event in answer.json()["events"]]

    ids = [event["id"] for event in story[::-1]]
    assert await list_ids(type="customer.*") == ids
    assert await list_ids(type="customer.created") == ids[2:]
    assert await list_ids(type="invoice.*") == []
    assert await list_ids(since="2023-11-14T22:14:00Z") == ids[:2]
    assert await list_ids(until="2023-11-14 22:14:21") == ids[1:]
    assert await list_ids(since="2h") == []
    assert await list_ids(limit=2) == ids[:2]
    assert await list_ids(limit=2, after=ids[1]) == ids[2:]


async def test_one_event_comes_with_its_payload(sender: Sender, ask: Ask) -> None:
    """GET /admin/events/{id} answers the event with its payload, or 404."""
    event = (await _send_story(sender))[0]
    found = (await ask("GET", f"events/{event['id']}")).json()
    assert (found["type"], found["payload"]) == ("customer.created", event)
    read_problem(await ask("GET", "events/evt_nowhere"), 404, "no-such-event")


async def test_a_hundred_events_are_named_at_once(sender: Sender, ask: Ask) -> None:
    """Stored events are found by ids of any length and content."""
    event = (await _send_story(sender))[0]
    ids = [f"evt_{'0' * 36}{number:02}" for number in range(98)]
    named = {"ids": [*ids, event["id"], "evt_' || id != '"], "dry_run": True}
    answer = await ask("POST", "events/replay", named)
    assert answer.json()["outcomes"] == {"unknown": 99, "ready": 1}


@pytest.mark.parametrize(
    "query",
    [
        {"type": "a' || id != '"},
        {"since": "yesterday"},
        {"since": "999999d"},
        {"until": "9999-12-31T23:59:59-01:00"},
        {"limit": 0},
        {"color": "red"},
    ],
)
async def test_senseless_selection_is_refused(ask: Ask, query: dict[str, str]) -> None:
    """An invalid selection gets 400, and never becomes a filter."""
    read_problem(await ask("GET", "events", **query), 400, "invalid-request")


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_only_superusers_operate(
    http: httpx.AsyncClient, stack: Stack, frontend: Frontend, method: str, path: str, body: Any
) -> None:
    """Every admin route answers 401 without a good token, and 403 to a user's."""
    url = stack.gateway.url + path
    user = await frontend.sign_up()
    bad = {"Authorization": "Bearer eyJhbGciOiJIUzI1NiJ9.e30.x"}
    read_problem(await http.request(method, url, json=body), 401, "unauthenticated")
    read_problem(await http.request(method, url, json=body, headers=bad), 401, "unauthenticated")
    read_problem(await http.request(method, url, json=body, headers=user.bearer), 403, "forbidden")


async def test_admin_routes_are_documented(http: httpx.AsyncClient, stack: Stack) -> None:
    """OpenAPI has every admin route with its errors and the superuser's token."""
    document = (await http.get(f"{stack.gateway.url}/openapi.json")).json()
    for method, path, _ in ROUTES:
        operation = document["paths"][path.replace("evt_1", "{event}")][method.lower()]
        assert {"400", "401", "403", "503"} <= operation["responses"].keys()
        assert operation["security"] == [{"superuserToken": []}]
        assert operation["summary"]
        assert operation["tags"] == ["admin"]
