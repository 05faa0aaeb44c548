"""Old payloads, rows of events, work and exported files are deleted by schedule."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from gateway.dates import to_column
from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.stack import Stack
from gateway.pocketbase.contracts.work import ENQUEUE, NewItem
from gateway.retention.periods import find_end
from gateway.settings import PocketBaseSettings, SettingsError, read_settings_of
from tests.dashboard import Dashboard
from tests.deadline import eventually
from tests.delivery import Sender, build_customer, build_event
from tests.operations.operator import Operator, run_gateway

_DAY = 86_400
_LOGIN = {"pocketbase_superuser_email": "a@example.com", "pocketbase_superuser_password": "secret"}


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


def _age(stack: Stack, collection: str, column: str, id: str) -> None:
    """Make a record five days old; PocketBase's API sets the column itself."""
    path = stack.pocketbase.data_dir / "data.db"
    with closing(sqlite3.connect(path, timeout=30)) as database, database:
        database.execute(
            f"UPDATE {collection} SET {column} = "  # noqa: S608
            "strftime('%Y-%m-%d %H:%M:%fZ', 'now', '-5 days') WHERE id = ?",
            [id],
        )


async def _export(stack: Stack, dashboard: Dashboard) -> dict[str, Any]:
    """Store an export with a file, as a job does."""
    answer = await dashboard.frontend.http.post(
        "/api/collections/gateway_exports/records",
        data={"collection": "orders", "format": "csv", "rows": 1},
        files={"file": ("orders.csv", b"id\n1\n")},
        headers={"Authorization": dashboard.token},
    )
    record: dict[str, Any] = answer.raise_for_status().json()
    return record


async def test_a_gateway_prunes_by_itself(
    stack: Stack,
    sender: Sender,
    dashboard: Dashboard,
    start_gateway: Callable[..., GatewayProcess],
) -> None:
    """A running gateway deletes payloads, events, work and exports older than their settings."""
    payload, event = _build_old(40), _build_old(75)
    for each in (payload, event):
        await sender.send(each)
    old, young = await _export(stack, dashboard), await _export(stack, dashboard)
    _age(stack, "gateway_exports", "created", old["id"])
    folder = stack.pocketbase.data_dir / "storage" / old["collectionId"] / old["id"]
    assert (folder / old["file"]).exists()
    items = [
        NewItem(id=f"retention00000{n}", kind="task", handler="tests.retention") for n in range(3)
    ]
    await dashboard.call("POST", ENQUEUE.path, {"items": [each.model_dump() for each in items]})
    for item, status in zip(items, ("done", "parked", "waiting"), strict=True):
        path = f"/api/collections/gateway_work/records/{item.id}"
        ended = to_column(datetime.now(UTC) - timedelta(days=20))
        ends = {"status": status, "created": ended, "completed_at": ended}
        await dashboard.call("PATCH", path, ends)
    start_gateway(
        GATEWAY_KEEP_PAYLOAD_DAYS="30",
        GATEWAY_KEEP_EVENT_DAYS="70",
        GATEWAY_KEEP_EXPORT_DAYS="1",
        GATEWAY_KEEP_PARKED_DAYS="0",
    )

    async def is_pruned() -> bool:
        return not (folder / old["file"]).exists()

    await eventually(is_pruned)
    assert not await _has_payload(dashboard, payload)
    assert await dashboard.find("stripe_events", event["id"]) is None
    assert [row["id"] for row in await dashboard.list("gateway_exports")] == [young["id"]]
    left = await dashboard.list("gateway_work", "handler = 'tests.retention'", sort="id")
    assert [row["status"] for row in left] == ["parked", "waiting"]
    for row in [*left, young]:
        path = f"/api/collections/{row['collectionName']}/records/{row['id']}"
        await dashboard.call("DELETE", path)


@pytest.mark.parametrize(("days", "accepted"), [("0", True), ("60", True), ("59", False)])
def test_rows_of_events_outlast_redeliveries(days: str, accepted: bool) -> None:
    """A row that is deleted while Stripe may deliver its event again is refused as a setting."""
    env = {"gateway_keep_event_days": int(days)}
    if accepted:
        assert read_settings_of(PocketBaseSettings, **env, **_LOGIN).gateway_keep_event_days >= 0
    else:
        with pytest.raises(SettingsError, match="GATEWAY_KEEP_EVENT_DAYS is wrong: must be 0"):
            read_settings_of(PocketBaseSettings, **env, **_LOGIN)


def test_zero_days_are_never() -> None:
    """A period of 0 has no end."""
    now = datetime(2026, 1, 31, tzinfo=UTC)
    assert find_end(now, 0) == ""
    assert find_end(now, 30) == "2026-01-01 00:00:00.000Z"


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
