"""A database that another process locks, as a backup might, makes no event fail."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.delivery import Sender, build_customer, build_event
from tests.problem import read_problem


@contextmanager
def _lock(stack: Stack) -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(stack.pocketbase.data_dir / "data.db", isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
        yield database
    finally:
        database.close()


async def test_while_the_database_is_locked_stripe_is_asked_to_come_again(
    stack: Stack, sender: Sender, dashboard: Dashboard
) -> None:
    """PocketBase gives up: 503, and the event is not put down as one that failed."""
    event = build_event("customer.updated", build_customer("nobody"))
    with _lock(stack):
        answer = await sender.send(event)
    read_problem(answer, 503, "pocket-base-unavailable")
    assert await dashboard.find("stripe_events", event["id"]) is None

    answer = await sender.send(event)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "applied")


async def test_a_short_lock_is_waited_for(
    stack: Stack, sender: Sender, dashboard: Dashboard
) -> None:
    """The delivery that finds the database locked is written when the lock is gone."""
    event = build_event("customer.updated", build_customer("nobody"))
    with _lock(stack) as database:
        delivery = asyncio.create_task(sender.send(event))
        # The event is on its way, and can't be written.
        await asyncio.wait([delivery], timeout=0.2)
        assert not delivery.done()
        database.rollback()
        answer = await delivery
    assert (answer.status_code, answer.json()["outcome"]) == (200, "applied")
    row = await dashboard.find("stripe_events", event["id"])
    assert row
    assert row["attempts"] == 1
