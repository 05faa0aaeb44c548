"""Failed and late events and work that `gateway doctor` names."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.dates import to_column
from tests.dashboard import Dashboard
from tests.doctor.conftest import Doctor

_EVENTS = "/api/collections/stripe_events/records"
_WORK = "/api/collections/gateway_work/records"
_PAUSE = "/api/gateway/work/pause"


@asynccontextmanager
async def _event_with(dashboard: Dashboard, **columns: Any) -> AsyncIterator[None]:
    """Change the newest stored event, and restore it."""
    event = (await dashboard.call("GET", _EVENTS, perPage=1, sort="-created"))["items"][0]
    path = f"{_EVENTS}/{event['id']}"
    await dashboard.call("PATCH", path, columns)
    try:
        yield
    finally:
        await dashboard.call("PATCH", path, {name: event[name] for name in columns})


async def test_a_failed_event_is_counted(doctor: Doctor, dashboard: Dashboard) -> None:
    """A failed event fails the check, an unresolved one warns."""
    async with _event_with(dashboard, outcome="failed"):
        (await doctor("events")).assert_failed("events.failed", "1 event")
    async with _event_with(dashboard, outcome="unresolved"):
        report = await doctor("events")
        report.assert_failed("events.unresolved", "1 event", status="warning")


async def test_a_late_event_is_found(doctor: Doctor, dashboard: Dashboard) -> None:
    """An event arrived an hour after its creation."""
    late = to_column(datetime.now(UTC) + timedelta(hours=1))
    async with _event_with(dashboard, received=late):
        (await doctor("events.lag")).assert_failed("events.lag", "h", status="warning")


async def test_parked_and_late_work_is_found(doctor: Doctor, dashboard: Dashboard) -> None:
    """A parked item, and one that no gateway takes."""
    due = to_column(datetime.now(UTC) - timedelta(hours=1))
    items = [
        {"kind": "task", "handler": "doctor.absent", "status": status, "due": due, "tries": 1}
        for status in ("parked", "waiting")
    ]
    made = [await dashboard.call("POST", _WORK, item) for item in items]
    try:
        report = await doctor("work")
    finally:
        for row in made:
            await dashboard.call("DELETE", f"{_WORK}/{row['id']}")
    report.assert_failed("work.parked", "1 item parked: doctor.absent")
    report.assert_failed("work.late", "1 item waiting", "1 h late")


async def test_a_paused_handler_is_named(doctor: Doctor, dashboard: Dashboard) -> None:
    """An operator has paused a handler."""
    await dashboard.call("POST", _PAUSE, {"handler": "mail", "paused": True})
    try:
        report = await doctor("work")
    finally:
        await dashboard.call("POST", _PAUSE, {"handler": "mail", "paused": False})
    report.assert_failed("work.paused", "mail", status="warning")
