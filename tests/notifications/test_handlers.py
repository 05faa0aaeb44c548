"""A team's handlers are called for each event, until they succeed or a person decides."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.stack import Stack
from tests.deadline import eventually, wait_until
from tests.delivery import Json, build_subscription
from tests.frontend import Record
from tests.notifications.conftest import OpenNotificationStack
from tests.notifications.notification_stack import NotificationStack
from tests.operations.operator import run_gateway
from tests.second_gateway import run_second_gateway

_MODULE = "tests.notifications.team_handlers"


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file with the handlers' calls."""
    file = tmp_path_factory.mktemp("team") / "notes"
    file.touch()
    return file


@pytest.fixture(scope="module")
def handling_gateway(stack: Stack, notes: Path) -> Iterator[GatewayProcess]:
    """A gateway with the team's handlers."""
    env = {"GATEWAY_APP": f"{_MODULE}:app", "TEAM_NOTES": str(notes)}
    with run_second_gateway(stack, notes.parent / "gateway.log", **env) as running:
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
        assert (row["status"], row["handler"]) == ("done", f"{_MODULE}.{name}")
        assert (await notification_stack.sender.send(event)).json()["outcome"] == "duplicate"
        assert _calls(notes, event) == [f"{name} {event['id']} {kind} {notification_stack.user.id}"]


async def test_a_failure_is_repeated(notification_stack: NotificationStack, notes: Path) -> None:
    """A handler's exception is stored, and the handler is called again after a delay."""
    event = await _refund(notification_stack)
    row = await notification_stack.wait_settled(event)
    assert (row["status"], row["error"]) == ("waiting", "LookupError: no such order")
    assert (await _wait_ended(notification_stack, event))["status"] == "done"
    assert len(_calls(notes, event)) == 2


async def test_what_is_given_up_is_parked_until_it_is_retried(
    notification_stack: NotificationStack, stack: Stack, notes: Path
) -> None:
    """GiveUp parks at once; `work list` shows the reason, `work retry` calls the handler again."""
    intent = {"id": f"seti_{notification_stack.user.id}", "object": "setup_intent"}
    event = await notification_stack.deliver("setup_intent.created", intent)
    row = await notification_stack.wait_settled(event)
    assert (row["status"], row["error"], row["attempts"]) == ("parked", "unknown product", 1)

    listed = await run_gateway(stack, "work", "list", "--status", "parked")
    assert any(row["id"] in line and "unknown product" in line for line in listed.lines)
    shown = await run_gateway(stack, "work", "show", row["id"])
    assert f"source: {event['id']}" in shown.lines
    retried = await run_gateway(stack, "work", "retry", row["id"])
    assert (retried.code, retried.out) == (0, "1 to be done again\n")

    async def is_called_again() -> bool:
        return len(_calls(notes, event)) == 2

    await eventually(is_called_again, 25)
    cancelled = await run_gateway(stack, "work", "cancel", row["id"])
    assert (cancelled.code, cancelled.out) == (0, "1 cancelled\n")
    again = await run_gateway(stack, "work", "cancel", row["id"])
    assert again.code == 1


async def test_a_paused_handler_is_not_called(
    notification_stack: NotificationStack, stack: Stack, notes: Path
) -> None:
    """Its events wait; other handlers go on; `work resume` lets it go on."""
    name = f"{_MODULE}.give_up"
    assert (await run_gateway(stack, "work", "pause", name)).out == f"{name} is paused\n"
    intent = {"id": f"seti2_{notification_stack.user.id}", "object": "setup_intent"}
    event = await notification_stack.deliver("setup_intent.created", intent)
    await notification_stack.wait_settled(await notification_stack.pay())
    assert _calls(notes, event) == []
    listed = await run_gateway(stack, "work", "list", "--handler", name)
    assert any(event["id"] in line and "waiting" in line for line in listed.lines)
    assert (await run_gateway(stack, "work", "resume", name)).out == f"{name} is running\n"
    assert (await notification_stack.wait_settled(event))["status"] == "parked"


@pytest.mark.parametrize(
    ("type", "id", "calls", "status"),
    [
        ("charge.dispute.created", "dp", 2, "done"),
        ("payment_method.attached", "pm", 1, "parked"),
    ],
)
async def test_a_handler_that_dies(
    type: str,
    id: str,
    calls: int,
    status: str,
    notification_stack: NotificationStack,
    notes: Path,
) -> None:
    """It is called again after the lease, or parked if it may run once only."""
    item = {"id": f"{id}_{notification_stack.user.id}", "object": type.split(".")[-2]}
    event = await notification_stack.deliver(type, item | {"amount": 5, "currency": "eur"})
    wait_until(lambda: not notification_stack.gateway.is_running, 20)
    [row] = await notification_stack.find(event)
    assert row["status"] == "running"
    path = f"/api/collections/gateway_work/records/{row['id']}"
    past = {"lease": "2020-01-01 00:00:00.000Z"}
    await notification_stack.dashboard.call("PATCH", path, past)
    notification_stack.gateway.start()
    notification_stack.gateway.wait_healthy()
    assert (await _wait_ended(notification_stack, event))["status"] == status
    assert len(_calls(notes, event)) == calls


async def test_returned_writes_commit_with_the_result(
    notification_stack: NotificationStack, notes: Path
) -> None:
    """A batch that is returned is written once; the key is the row's id."""
    event = await _update(notification_stack, "Ada")
    row = await notification_stack.wait_settled(event)
    assert row["status"] == "done"
    assert await _name(notification_stack) == "Ada"
    customer = notification_stack.customer["id"]
    assert _calls(notes, event) == [f"write {event['id']} {row['id']} {customer}"]


async def test_returned_writes_that_fail_are_undone(
    notification_stack: NotificationStack, notes: Path
) -> None:
    """None of them is written; the call is repeated, and parked with PocketBase's reason."""
    event = await _update(notification_stack, "invalid")
    row = await _wait_ended(notification_stack, event)
    assert (row["status"], row["attempts"]) == ("parked", 2)
    assert "write 2, update users/none00000000000" in row["error"]
    assert await _name(notification_stack) != "invalid"
    assert len(_calls(notes, event)) == 2


async def test_a_batch_that_was_sent_is_refused(notification_stack: NotificationStack) -> None:
    """It is a mistake of the author's, so the item is parked with an explanation."""
    dashboard = notification_stack.dashboard
    await dashboard.call("PATCH", "/api/settings", {"batch": {"enabled": True, "maxRequests": 50}})
    event = await _update(notification_stack, "sent")
    row = await notification_stack.wait_settled(event)
    assert (row["status"], "has been sent" in row["error"]) == ("parked", True)


async def test_ended_work_is_pruned(notification_stack: NotificationStack, stack: Stack) -> None:
    """The next start deletes items that ended more than a week ago; others stay."""
    event = await notification_stack.pay()
    row = await notification_stack.wait_settled(event)
    path = f"/api/collections/gateway_work/records/{row['id']}"
    past = dict.fromkeys(("created", "completed_at"), "2020-01-01 00:00:00.000Z")
    await notification_stack.dashboard.call("PATCH", path, past)
    fresh = await notification_stack.pay()
    await notification_stack.wait_settled(fresh)
    notification_stack.gateway.restart()

    async def is_pruned() -> bool:
        return await notification_stack.find(event) == []

    await eventually(is_pruned, 25)
    assert len(await notification_stack.find(fresh)) == 1


async def _refund(notification_stack: NotificationStack) -> Json:
    id = f"re_{notification_stack.user.id}"
    refund = {"id": id, "object": "refund", "amount": 5, "currency": "eur"}
    return await notification_stack.deliver("refund.created", refund)


async def _update(notification_stack: NotificationStack, description: str) -> Json:
    customer = notification_stack.customer | {"description": description}
    return await notification_stack.deliver("customer.updated", customer)


async def _name(notification_stack: NotificationStack) -> str:
    path = f"/api/collections/users/records/{notification_stack.user.id}"
    return str((await notification_stack.dashboard.call("GET", path))["name"])


async def _wait_ended(notification_stack: NotificationStack, event: Json) -> Record:
    """Wait until the event's item needs no further attempt."""

    async def check() -> Record | None:
        [row] = await notification_stack.find(event)
        return row if row["status"] not in ("waiting", "running") else None

    found = await eventually(check, 30)
    assert found
    return found
