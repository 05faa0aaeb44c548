"""A gateway that is killed loses no mail that it had not begun, and repeats none that it had."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from stack.gateway import Gateway
from stack.ports import pick_free
from stack.stack import Stack
from tests.deadline import eventually
from tests.delivery import build_event
from tests.notifications.conftest import OpenOffice, run_gateway
from tests.notifications.mail_server import MailServer
from tests.notifications.office import build_invoice
from tests.operations.operator import run_gateway as run_command
from tests.webhooks.killing_proxy import KillingProxy


@pytest.fixture
def gateway(
    stack: Stack, mail_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway to kill."""
    log = tmp_path_factory.mktemp("killed") / "gateway.log"
    with run_gateway(stack, log, **mail_settings) as running:
        yield running


async def test_killed_between_claim_and_send(
    gateway: Gateway, stack: Stack, open_office: OpenOffice, mail_server: MailServer
) -> None:
    """`kill -9` while the mail server has not answered: nobody sends it again by itself."""
    office = await open_office(gateway)
    mail_server.may_answer.clear()
    event = await office.pay()

    async def has_arrived() -> bool:
        return mail_server.arrived == 1

    await eventually(has_arrived, 20)
    gateway.kill()
    mail_server.may_answer.set()
    await asyncio.to_thread(gateway.restart)

    # Whatever it would send by itself has its turn before this one.
    assert (await office.sender.send(event)).json()["outcome"] == "repeated"
    assert (await office.wait_settled(await office.pay(number="NEXT")))["status"] == "sent"
    row = (await office.find(event))[0]
    assert (row["status"], row["attempts"], mail_server.arrived) == ("sending", 1, 2)
    listed = await run_command(stack, "notifications", "list", "--status", "sending")
    assert any(row["id"] in line for line in listed.lines)


async def test_killed_between_commit_and_claim(
    gateway: Gateway, stack: Stack, open_office: OpenOffice, mail_server: MailServer
) -> None:
    """Killed when the event is stored, before anything is sent: the next start sends it, once."""
    office = await open_office(gateway)
    event = build_event("invoice.paid", build_invoice(office.customer["id"]))
    async with KillingProxy(pick_free(), stack.pocketbase.url) as proxy:
        gateway.env["POCKETBASE_URL"] = proxy.url
        await asyncio.to_thread(gateway.restart)
        # Then the sender has done with its first look, and waits for what is stored next.
        assert (await office.wait_settled(await office.pay(number="FIRST")))["status"] == "sent"
        proxy.arm("after", gateway.kill)
        with pytest.raises(httpx.TransportError):
            await office.sender.send(event)
    assert [row["status"] for row in await office.find(event)] == ["waiting"]
    assert mail_server.arrived == 1

    gateway.env["POCKETBASE_URL"] = stack.pocketbase.url
    await asyncio.to_thread(gateway.restart)
    assert (await office.wait_settled(event))["status"] == "sent"
    assert (await office.sender.send(event)).json()["outcome"] == "repeated"
    numbers = ("FIRST", "SHOP-0001")
    assert mail_server.subjects == [f"Your receipt from Acme: {number}" for number in numbers]


async def test_a_restart_breaks_no_mail_off(
    gateway: Gateway, open_office: OpenOffice, mail_server: MailServer
) -> None:
    """A gateway that is stopped finishes the mail that it has begun."""
    office = await open_office(gateway)
    events = [await office.pay() for _ in range(3)]
    await asyncio.to_thread(gateway.stop, within=30)
    await asyncio.to_thread(gateway.restart)
    settled = [await office.wait_settled(event) for event in events]
    assert [(row["status"], row["reason"]) for row in settled] == [("sent", "")] * 3
    assert len(mail_server.mails) == 3
