"""A team's handlers are called once per event; a failure is stored until it is retried."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.stack import Stack
from tests.deadline import eventually, wait_until
from tests.delivery import Json, build_subscription
from tests.notifications.conftest import OpenNotificationStack, run_gateway
from tests.notifications.notification_stack import NotificationStack
from tests.operations.operator import run_gateway as run_command

_MODULE = "tests.notifications.team_handlers"


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the handlers note their calls."""
    file = tmp_path_factory.mktemp("team") / "notes"
    file.touch()
    return file


@pytest.fixture(scope="module")
def handling_gateway(stack: Stack, notes: Path) -> Iterator[GatewayProcess]:
    """A gateway with the team's handlers."""
    env = {"GATEWAY_APP": f"{_MODULE}:app", "TEAM_NOTES": str(notes)}
    with run_gateway(stack, notes.parent / "gateway.log", **env) as running:
        yield running


@pytest_asyncio.fixture
async def notification_stack(
    handling_gateway: GatewayProcess, open_notification_stack: OpenNotificationStack
) -> NotificationStack:
    """The gateway with handlers, and a payer."""
    return await open_notification_stack(handling_gateway)


def _calls(notes: Path, event: Json) -> list[str]:
    return [line for line in notes.read_text().splitlines() if event["id"] in line]


async def test_a_handler_is_called_once_an_event(
    notification_stack: NotificationStack, notes: Path
) -> None:
    """By kind and by type, with the user; again for nothing that comes again or is replayed."""
    paid = await notification_stack.pay()
    subscription = build_subscription(notification_stack.customer["id"], status="canceled")
    ended = await notification_stack.deliver("customer.subscription.deleted", subscription)
    for event, name, kind in ((paid, "thank", "receipt"), (ended, "say_goodbye", "")):
        row = await notification_stack.wait_settled(event)
        assert (row["status"], row["channel"]) == ("sent", f"{_MODULE}.{name}")
        assert (await notification_stack.sender.send(event)).json()["outcome"] == "duplicate"
        assert _calls(notes, event) == [f"{name} {event['id']} {kind} {notification_stack.user.id}"]


async def test_a_failure_is_visible_and_retried_by_command(
    notification_stack: NotificationStack, stack: Stack, notes: Path
) -> None:
    """A handler's exception is stored in the outbox; `notifications retry` calls it again."""
    refund = {
        "id": f"re_{notification_stack.user.id}",
        "object": "refund",
        "amount": 5,
        "currency": "eur",
    }
    event = await notification_stack.deliver("refund.created", refund)
    row = await notification_stack.wait_settled(event)
    assert (row["status"], row["reason"]) == ("failed", "LookupError: no such order")

    listed = await run_command(stack, "notifications", "list", "--status", "failed")
    assert any(row["id"] in line and "no such order" in line for line in listed.lines)
    retried = await run_command(stack, "notifications", "retry", row["id"])
    assert (retried.code, retried.out) == (0, "1 to be sent again\n")

    async def is_sent() -> bool:
        return [found["status"] for found in await notification_stack.find(event)] == ["sent"]

    await eventually(is_sent, 25)
    assert len(_calls(notes, event)) == 2
    again = await run_command(stack, "notifications", "retry", row["id"])
    assert again.code == 1


async def test_what_was_broken_off_stays_until_somebody_decides(
    notification_stack: NotificationStack, stack: Stack, notes: Path
) -> None:
    """A gateway that dies in a handler leaves it `sending`: only the command calls it again."""
    dispute = {
        "id": f"dp_{notification_stack.user.id}",
        "object": "dispute",
        "amount": 5,
        "currency": "eur",
    }
    event = await notification_stack.deliver("charge.dispute.created", dispute)
    wait_until(lambda: not notification_stack.gateway.is_running, 20)
    notification_stack.gateway.start()
    notification_stack.gateway.wait_healthy()
    paid = await notification_stack.pay()
    await notification_stack.wait_settled(paid)
    row = (await notification_stack.find(event))[0]
    assert (row["status"], len(_calls(notes, event))) == ("sending", 1)

    young = await run_command(stack, "notifications", "retry", row["id"])
    assert (young.code, young.out) == (1, "0 to be sent again\n")
    path = f"/api/collections/gateway_notifications/records/{row['id']}"
    await notification_stack.dashboard.call(
        "PATCH", path, {"locked_at": "2020-01-01 00:00:00.000Z"}
    )
    old = await run_command(stack, "notifications", "retry", row["id"])
    assert old.code == 0

    async def is_sent() -> bool:
        return (await notification_stack.find(event))[0]["status"] == "sent"

    await eventually(is_sent, 25)
    assert len(_calls(notes, event)) == 2


async def test_what_is_old_is_pruned_with_the_payloads(
    notification_stack: NotificationStack, stack: Stack
) -> None:
    """`events prune` takes old notifications along; those that are due stay."""
    event = await notification_stack.pay()
    row = await notification_stack.wait_settled(event)
    path = f"/api/collections/gateway_notifications/records/{row['id']}"
    await notification_stack.dashboard.call("PATCH", path, {"created": "2020-01-01 00:00:00.000Z"})
    fresh = await notification_stack.pay()
    await notification_stack.wait_settled(fresh)
    assert (await run_command(stack, "events", "prune", "--older-than", "900")).code == 0
    assert await notification_stack.find(event) == []
    assert len(await notification_stack.find(fresh)) == 1
