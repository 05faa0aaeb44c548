"""Old payloads are emptied, ids are kept."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.deadline import eventually
from tests.delivery import Sender, build_customer, build_event
from tests.operations.operator import Operator, run_gateway

_DAY = 86_400


def _build_old(days: int, **members: Any) -> dict[str, Any]:
    created = int(time.time()) - days * _DAY
    return build_event("customer.created", build_customer("nobody"), created=created, **members)


async def _has_payload(dashboard: Dashboard, event: dict[str, Any]) -> bool:
    stored = await dashboard.find("stripe_events", event["id"])
    assert stored
    return bool(stored["payload"])


async def test_prune_keeps_ids_and_young_payloads(
    stack: Stack, sender: Sender, dashboard: Dashboard
) -> None:
    """Only old payloads go, and the redelivery of a pruned event still changes nothing."""
    old, young = _build_old(95), _build_old(85)
    for event in (old, young):
        assert (await sender.send(event)).json()["outcome"] == "applied"
    counted = await run_gateway(stack, "events", "prune", "--dry-run")
    assert int(counted.out.split()[0]) >= 1
    assert await _has_payload(dashboard, old)
    done = await run_gateway(stack, "events", "prune")
    assert done.code == 0, done.err
    assert not await _has_payload(dashboard, old)
    assert await _has_payload(dashboard, young)
    assert (await sender.send(old)).json()["outcome"] == "duplicate"


async def test_failed_events_stay_whole(
    http: httpx.AsyncClient,
    stack: Stack,
    sender: Sender,
    dashboard: Dashboard,
    superuser_token: str,
) -> None:
    """A failed event keeps its payload, however old it is, until it is handled."""
    event = _build_old(95)
    await sender.send(event)
    stored = await dashboard.find("stripe_events", event["id"])
    assert stored
    path = f"/api/collections/stripe_events/records/{stored['id']}"
    await dashboard.call("PATCH", path, {"outcome": "failed"})
    answer = await http.post(
        f"{stack.gateway.url}/admin/events/prune",
        json={"older_than_days": 1},
        headers={"Authorization": f"Bearer {superuser_token}"},
    )
    assert answer.status_code == 200
    assert await _has_payload(dashboard, event)
    await dashboard.call("PATCH", path, {"outcome": "applied"})


async def test_a_gateway_prunes_by_itself(
    sender: Sender, dashboard: Dashboard, start_gateway: Callable[..., GatewayProcess]
) -> None:
    """A running gateway empties payloads older than GATEWAY_KEEP_PAYLOAD_DAYS."""
    event = _build_old(40)
    await sender.send(event)
    start_gateway(GATEWAY_KEEP_PAYLOAD_DAYS="30")

    async def is_pruned() -> bool:
        return not await _has_payload(dashboard, event)

    await eventually(is_pruned)


async def test_webhooks_go_on_while_payloads_are_pruned(
    operator: Operator, sender: Sender, dashboard: Dashboard, stack: Stack
) -> None:
    """Pruning many payloads takes several transactions, and deliveries meanwhile are stored."""
    old = [_build_old(200) for _ in range(700)]
    await asyncio.gather(*(operator.store(event) for event in old))
    pruning = asyncio.create_task(run_gateway(stack, "events", "prune", "--older-than", "150"))
    answers = []
    while not pruning.done():
        answers.append((await sender.send(_build_old(0))).json()["outcome"])
    done = await pruning
    assert int(done.out.split()[0]) >= len(old), done.err
    assert set(answers) == {"applied"}
    assert await dashboard.count("stripe_events", "payload != null && created < '2020-01-01'") == 0
