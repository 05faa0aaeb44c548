"""A gateway that is killed loses no mail that it had not begun, and repeats none that it had."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.ports import pick_free
from gateway.dev.stack import Stack
from tests.deadline import eventually
from tests.delivery import build_event
from tests.notifications.conftest import OpenNotificationStack
from tests.notifications.mail_server import MailServer
from tests.notifications.notification_stack import build_invoice
from tests.operations.operator import run_gateway
from tests.second_gateway import run_second_gateway
from tests.webhooks.killing_proxy import KillingProxy


@pytest.fixture
def gateway(
    stack: Stack, mail_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    """A gateway to kill."""
    log = tmp_path_factory.mktemp("killed") / "gateway.log"
    with run_second_gateway(stack, log, **mail_settings) as running:
        yield running


async def test_killed_between_claim_and_send(
    gateway: GatewayProcess,
    stack: Stack,
    open_notification_stack: OpenNotificationStack,
    mail_server: MailServer,
) -> None:
    """`kill -9` before the mail server's answer: the mail is not sent again by itself."""
    notification_stack = await open_notification_stack(gateway)
    mail_server.may_answer.clear()
    event = await notification_stack.pay()

    async def has_arrived() -> bool:
        return mail_server.arrived == 1

    await eventually(has_arrived, 20)
    gateway.kill()
    mail_server.may_answer.set()
    await asyncio.to_thread(gateway.restart)

    # Mails that it would send by itself come before this one.
    assert (await notification_stack.sender.send(event)).json()["outcome"] == "duplicate"
    assert (await notification_stack.wait_settled(await notification_stack.pay(number="NEXT")))[
        "status"
    ] == "done"
    row = (await notification_stack.find(event))[0]
    assert (row["status"], row["attempts"], mail_server.arrived) == ("running", 1, 2)
    path = f"/api/collections/gateway_work/records/{row['id']}"
    past = {"lease": "2020-01-01 00:00:00.000Z"}
    await notification_stack.dashboard.call("PATCH", path, past)

    async def is_parked() -> bool:
        listed = await run_gateway(stack, "work", "list", "--status", "parked")
        return any(row["id"] in line and "may have been done" in line for line in listed.lines)

    await eventually(is_parked, 20)
    assert mail_server.arrived == 2


async def test_killed_between_commit_and_claim(
    gateway: GatewayProcess,
    stack: Stack,
    open_notification_stack: OpenNotificationStack,
    mail_server: MailServer,
) -> None:
    """Killed when the event is stored, before anything is sent: the next start sends it, once."""
    notification_stack = await open_notification_stack(gateway)
    event = build_event("invoice.paid", build_invoice(notification_stack.customer["id"]))
    async with KillingProxy(pick_free(), stack.pocketbase.url) as proxy:
        gateway.env["POCKETBASE_URL"] = proxy.url
        await asyncio.to_thread(gateway.restart)
        # Then the sender has done with its first look, and waits for what is stored next.
        assert (
            await notification_stack.wait_settled(await notification_stack.pay(number="FIRST"))
        )["status"] == "done"
        proxy.arm("after", gateway.kill)
        with pytest.raises(httpx.TransportError):
            await notification_stack.sender.send(event)
    assert [row["status"] for row in await notification_stack.find(event)] == ["waiting"]
    assert mail_server.arrived == 1

    gateway.env["POCKETBASE_URL"] = stack.pocketbase.url
    await asyncio.to_thread(gateway.restart)
    assert (await notification_stack.wait_settled(event))["status"] == "done"
    assert (await notification_stack.sender.send(event)).json()["outcome"] == "duplicate"
    numbers = ("FIRST", "SHOP-0001")
    assert mail_server.subjects == [f"Your receipt from Acme: {number}" for number in numbers]


async def test_a_restart_breaks_no_mail_off(
    gateway: GatewayProcess, open_notification_stack: OpenNotificationStack, mail_server: MailServer
) -> None:
    """A gateway that is stopped finishes the mail that it has begun."""
    notification_stack = await open_notification_stack(gateway)
    events = [await notification_stack.pay() for _ in range(3)]
    await asyncio.to_thread(gateway.stop, within=30)
    await asyncio.to_thread(gateway.restart)
    settled = [await notification_stack.wait_settled(event) for event in events]
    assert [(row["status"], row["error"]) for row in settled] == [("done", "")] * 3
    assert len(mail_server.mails) == 3
