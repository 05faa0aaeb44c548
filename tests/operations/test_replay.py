"""Handling stored events again: replay, retry, and what the gateway does by itself."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import Any

import httpx

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.stack import Stack
from gateway.mirror.event_change import RESOLVE
from tests.dashboard import Dashboard
from tests.deadline import eventually
from tests.delivery import Sender, build_customer, build_event
from tests.operations.operator import Operator, run_gateway
from tests.problem import read_problem
from tests.stripe_account import StripeAccount

Json = dict[str, Any]


async def _send(sender: Sender, *events: Json) -> None:
    for event in events:
        assert (await sender.send(event)).status_code == 200


async def _spoil(dashboard: Dashboard, collection: str, stripe_id: str, values: Json) -> None:
    """Leave a row as another release's projection would have written it."""
    row = await dashboard.find(collection, stripe_id)
    assert row
    await dashboard.call("PATCH", f"/api/collections/{collection}/records/{row['id']}", values)


@asynccontextmanager
async def _refusing_twins(dashboard: Dashboard, name: str) -> AsyncIterator[None]:
    """Make PocketBase refuse a second tax rate of this name until the context ends."""
    path = "/api/collections/tax_rates"
    before = (await dashboard.call("GET", path))["indexes"]
    unique = (
        f"CREATE UNIQUE INDEX idx_{token_hex(4)} ON tax_rates (display_name)"
        f" WHERE display_name = '{name}'"
    )
    await dashboard.call("PATCH", path, {"indexes": [*before, unique]})
    try:
        yield
    finally:
        await dashboard.call("PATCH", path, {"indexes": before})


def _build_rate(name: str) -> Json:
    rate = {"id": f"txr_{token_hex(6)}", "object": "tax_rate", "display_name": name}
    return build_event("tax_rate.created", rate)


async def _fail_one(dashboard: Dashboard, sender: Sender) -> Json:
    """Deliver an event with a row that PocketBase refuses; return it once the cause is gone."""
    name = f"VAT {token_hex(4)}"
    async with _refusing_twins(dashboard, name):
        await _send(sender, _build_rate(name))
        event = _build_rate(name)
        read_problem(await sender.send(event), 500, "projection-failed")
    return event


async def test_replay_rewrites_a_row_as_this_release_projects_it(
    sender: Sender, dashboard: Dashboard, operator: Operator
) -> None:
    """Replaying a row's last event writes it again, so that a changed projection takes effect."""
    customer = build_customer("nobody", name="Ada")
    await _send(sender, event := build_event("customer.created", customer))
    await _spoil(dashboard, "customers", customer["id"], {"name": "old release"})
    assert [each.outcome for each in await operator.replay(event["id"])] == ["applied"]
    row = await dashboard.find("customers", customer["id"])
    assert row
    assert row["name"] == "Ada"


async def test_replay_keeps_a_newer_state(
    sender: Sender, dashboard: Dashboard, operator: Operator
) -> None:
    """Replaying an older event leaves the row as it is."""
    customer = build_customer("nobody", name="Old")
    old = build_event("customer.updated", customer, created=1_700_000_000)
    new = build_event("customer.updated", customer | {"name": "New"}, created=1_700_000_001)
    await _send(sender, old, new)
    assert [each.outcome for each in await operator.replay(old["id"])] == ["superseded"]
    row = await dashboard.find("customers", customer["id"])
    assert row
    assert row["name"] == "New"


async def test_replay_of_everything_of_an_object_ends_in_its_last_state(
    sender: Sender, dashboard: Dashboard, operator: Operator
) -> None:
    """A selection is replayed in pages and ends in the rows that the deliveries gave."""
    customer = build_customer("nobody")
    story = [
        build_event("customer.updated", customer | {"name": str(n)}, created=1_700_000_000 + n)
        for n in range(60)
    ]
    await _send(sender, *story)
    await _spoil(dashboard, "customers", customer["id"], {"name": "", "phone": "x"})
    replayed = await operator.replay(object_id=customer["id"])
    assert [each.stripe_id for each in replayed] == [event["id"] for event in story]
    row = await dashboard.find("customers", customer["id"])
    assert row
    assert (row["name"], row["phone"]) == ("59", "")


async def test_dry_run_changes_nothing(stack: Stack, sender: Sender, dashboard: Dashboard) -> None:
    """`events replay --dry-run` names the events and writes no row."""
    customer = build_customer("nobody", name="Ada")
    await _send(sender, event := build_event("customer.created", customer))
    await _spoil(dashboard, "customers", customer["id"], {"name": "spoilt"})
    done = await run_gateway(stack, "events", "replay", "--object", customer["id"], "--dry-run")
    assert (done.code, done.lines[0].split()[:2]) == (0, [event["id"], "ready"]), done.err
    row = await dashboard.find("customers", customer["id"])
    assert row
    assert row["name"] == "spoilt"


async def test_replay_over_http_goes_on_where_it_ended(
    http: httpx.AsyncClient, stack: Stack, sender: Sender, superuser_token: str
) -> None:
    """POST /admin/events/replay handles up to a limit, and goes on behind the last event."""
    customer = build_customer("nobody")
    story = [
        build_event("customer.updated", customer | {"name": str(n)}, created=1_700_000_000 + n)
        for n in range(3)
    ]
    await _send(sender, *story)

    async def replay(**body: object) -> Json:
        answer = await http.post(
            f"{stack.gateway.url}/admin/events/replay",
            json={"object": customer["id"], "limit": 2, **body},
            headers={"Authorization": f"Bearer {superuser_token}"},
        )
        return dict(answer.json())

    first = await replay()
    assert [each["id"] for each in first["events"]] == [event["id"] for event in story[:2]]
    assert (first["has_more"], first["outcomes"]) == (True, {"superseded": 2})
    rest = await replay(after=first["events"][-1]["id"])
    assert (rest["has_more"], rest["outcomes"]) == (False, {"applied": 1})


async def test_replay_needs_a_selection(stack: Stack) -> None:
    """`events replay` without any selection is refused rather than replaying everything."""
    done = await run_gateway(stack, "events", "replay")
    assert done.code == 1
    assert done.err.startswith("Give ids of events, or at least one option")


async def test_one_bad_event_takes_no_other_down(dashboard: Dashboard, operator: Operator) -> None:
    """Of events that share a transaction, the one that can't be written fails by itself."""
    name = f"VAT {token_hex(4)}"
    async with _refusing_twins(dashboard, name):
        assert await operator.store(_build_rate(name)) == "applied"
        group = [
            _build_rate("good"),
            _build_rate(name),
            build_event("customer.created", build_customer("nobody")),
            _build_rate("good, too"),
        ]
        outcomes = await asyncio.gather(*(operator.store(event) for event in group))
    assert outcomes == ["applied", "failed", "applied", "applied"]
    stored = await dashboard.find("stripe_events", group[1]["id"])
    assert stored
    assert (stored["outcome"], stored["attempts"], stored["payload"]) == ("failed", 1, group[1])
    assert stored["error"]
    await operator.replay(group[1]["id"])


async def test_retry_handles_what_failed(
    stack: Stack, sender: Sender, dashboard: Dashboard
) -> None:
    """An event that PocketBase refused is stored with the reason, and `events retry` applies it."""
    event = await _fail_one(dashboard, sender)
    stored = await dashboard.find("stripe_events", event["id"])
    assert stored
    assert stored["outcome"] == "failed"
    assert stored["error"]
    done = await run_gateway(stack, "events", "retry")
    assert f"{event['id']}  applied" in done.out, done.err
    stored = await dashboard.find("stripe_events", event["id"])
    assert stored
    assert (stored["outcome"], stored["error"], stored["attempts"]) == ("applied", "", 2)
    assert await dashboard.find("tax_rates", event["data"]["object"]["id"])


async def test_a_gateway_retries_what_failed_when_it_starts(
    sender: Sender, dashboard: Dashboard, start_gateway: Callable[..., GatewayProcess]
) -> None:
    """Failed events come back by themselves, because a new release is a start."""
    event = await _fail_one(dashboard, sender)
    start_gateway()
    assert await eventually(lambda: dashboard.find("tax_rates", event["data"]["object"]["id"]))


async def test_event_that_fails_again_stays_failed(
    stack: Stack, sender: Sender, dashboard: Dashboard
) -> None:
    """An event that still fails is reported and counted, and can be retried."""
    name = f"VAT {token_hex(4)}"
    async with _refusing_twins(dashboard, name):
        await _send(sender, _build_rate(name))
        event = _build_rate(name)
        read_problem(await sender.send(event), 500, "projection-failed")
        done = await run_gateway(stack, "events", "replay", event["id"])
    assert (done.code, done.lines[0].split()[:2]) == (1, [event["id"], "failed"])
    stored = await dashboard.find("stripe_events", event["id"])
    assert stored
    assert (stored["outcome"], stored["attempts"]) == ("failed", 2)
    done = await run_gateway(stack, "events", "replay", event["id"])
    assert (done.code, done.lines[0].split()[:2]) == (0, [event["id"], "applied"])


async def test_pruned_payload_is_read_from_stripe(
    account: StripeAccount, dashboard: Dashboard, operator: Operator
) -> None:
    """The payload of a pruned event is read from Stripe's API."""
    customer = await account.create("customers", name="Ada")
    await account.wait_delivered()
    stored = await eventually(
        lambda: dashboard.list("stripe_events", f"object_id = '{customer['id']}'")
    )
    await dashboard.call(
        "PATCH", f"/api/collections/stripe_events/records/{stored[0]['id']}", {"payload": None}
    )
    await _spoil(dashboard, "customers", customer["id"], {"name": "spoilt"})
    replayed = await operator.replay(stored[0]["stripe_id"])
    assert [each.outcome for each in replayed] == ["applied"]
    row = await dashboard.find("customers", customer["id"])
    assert row
    assert row["name"] == "Ada"


async def _send_pruned(sender: Sender, dashboard: Dashboard, event: Json, **columns: str) -> str:
    """Deliver an event, then empty its payload and change columns; return its row's path."""
    await _send(sender, event)
    stored = await dashboard.find("stripe_events", event["id"])
    assert stored
    path = f"/api/collections/stripe_events/records/{stored['id']}"
    await dashboard.call("PATCH", path, {"payload": None, **columns})
    return path


async def test_payload_that_nobody_has_is_said_to_be_gone(
    sender: Sender, dashboard: Dashboard, operator: Operator
) -> None:
    """A pruned event that Stripe no longer has is reported, as is an id that is not stored."""
    event = build_event("customer.created", build_customer("nobody"), created=1_700_000_000)
    await _send_pruned(sender, dashboard, event)
    replayed = await operator.replay(event["id"], "evt_nowhere")
    assert [each.outcome for each in replayed] == ["pruned", "unknown"]


async def test_an_unresolved_event_without_a_payload_needs_a_person(
    sender: Sender, dashboard: Dashboard, operator: Operator
) -> None:
    """As a backup may bring it back, too old for Stripe: its work item is parked, not repeated."""
    event = build_event("customer.created", build_customer("nobody"), created=1_700_000_000)
    path = await _send_pruned(sender, dashboard, event, outcome="unresolved")
    item = {"id": f"{token_hex(7)}0", "kind": "event", "handler": RESOLVE, "source": event["id"]}
    item |= {"key": event["data"]["object"]["id"], "payload": {}}
    await dashboard.call("POST", "/api/gateway/work/enqueue", {"items": [item]})

    async def read_error() -> str:
        [found] = await dashboard.list("gateway_work", f"id = '{item['id']}'")
        return str(found["error"]) if found["status"] == "parked" else ""

    assert (await eventually(read_error, within=30)).startswith("Its payload is pruned")
    await dashboard.call("DELETE", path)
    await dashboard.call("DELETE", f"/api/collections/gateway_work/records/{item['id']}")
