"""How mails go out: by PocketBase's settings or a mail server, also when that is in trouble.

A mail that is certainly not sent is tried again later; one that may have been sent is not.
"""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.deadline import eventually
from tests.notifications.conftest import OpenNotificationStack
from tests.notifications.mail_server import MailServer
from tests.notifications.notification_stack import NotificationStack
from tests.second_gateway import run_second_gateway

WAYS = ["a mail server", "PocketBase"]


@pytest.fixture(scope="module")
def pocketbase_mailing(
    stack: Stack, mail_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    """A gateway that mails by PocketBase's settings."""
    log = tmp_path_factory.mktemp("by_pocketbase") / "gateway.log"
    without = {"GATEWAY_SMTP_URL": "", "GATEWAY_MAIL_SENDER": ""}
    with run_second_gateway(stack, log, **mail_settings | without) as running:
        yield running


@pytest_asyncio.fixture
async def pocketbase_mail(dashboard: Dashboard, mail_port: int) -> AsyncIterator[None]:
    """Let the shared PocketBase use the test's mail server, for one test."""
    before = await dashboard.call("GET", "/api/settings")
    smtp = {"enabled": True, "host": "127.0.0.1", "port": mail_port, "tls": False}
    meta = {"senderName": "Base Shop", "senderAddress": "base@shop.test"}
    await dashboard.call("PATCH", "/api/settings", {"smtp": smtp, "meta": before["meta"] | meta})
    yield
    restored = {"smtp": before["smtp"], "meta": before["meta"]}
    await dashboard.call("PATCH", "/api/settings", restored)


@pytest_asyncio.fixture(params=WAYS)
async def notification_stack(
    request: pytest.FixtureRequest,
    mailing_gateway: GatewayProcess,
    pocketbase_mailing: GatewayProcess,
    pocketbase_mail: None,
    open_notification_stack: OpenNotificationStack,
) -> NotificationStack:
    """A payer, and a gateway that mails in each way."""
    ways = dict(zip(WAYS, (mailing_gateway, pocketbase_mailing), strict=True))
    return await open_notification_stack(ways[request.param])


async def test_a_mail_arrives_whole(
    notification_stack: NotificationStack, mail_server: MailServer
) -> None:
    """Text, HTML, sender and an id of its own, whatever the way."""
    row = await notification_stack.wait_settled(await notification_stack.pay())
    assert row["status"] == "done"
    mail = mail_server.mails[0]
    assert mail["To"].addresses[0].addr_spec == notification_stack.user.email
    assert mail["From"].addresses[0].display_name in ("The Shop", "Base Shop")
    assert mail["Message-ID"].startswith(f"<{row['id']}@shop.test>")
    assert mail["Auto-Submitted"] == "auto-generated"
    text, html = mail_server.read_bodies()
    assert "We received 12.00 EUR" in text
    assert "<strong>12.00 EUR</strong>" in html


async def test_a_mail_server_that_is_down_is_tried_again(
    notification_stack: NotificationStack, mail_server: MailServer
) -> None:
    """While the mail server is down, the mail waits with the reason; then it is sent once."""
    mail_server.close()
    event = await notification_stack.pay()
    row = await notification_stack.wait_settled(event)
    assert (row["status"], row["attempts"]) == ("waiting", 1)
    assert "refused" in row["error"].lower() or "connect" in row["error"].lower()

    await mail_server.open()
    await notification_stack.make_due(event)
    assert (await notification_stack.wait_settled(event))["status"] == "done"
    assert len(mail_server.mails) == 1


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
@pytest.mark.parametrize(
    ("answer", "status"), [("451 Come back later", "waiting"), ("550 No such user", "parked")]
)
async def test_a_refusal_is_taken_at_its_word(
    command: str,
    answer: str,
    status: str,
    notification_stack: NotificationStack,
    mail_server: MailServer,
) -> None:
    """A temporary refusal waits for another try, a final one fails; the reason has no address."""
    mail_server.answers[command] = f"{answer} <{notification_stack.user.email}>"
    row = await notification_stack.wait_settled(await notification_stack.pay())
    assert row["status"] == status
    assert answer[4:] in row["error"]
    assert notification_stack.user.email not in row["error"]
    assert mail_server.mails == []


async def test_a_mail_server_that_stalls_is_not_asked_twice(
    notification_stack: NotificationStack, mail_server: MailServer
) -> None:
    """No answer after the mail was handed over: it may have been sent, so it fails, visibly."""
    mail_server.may_answer.clear()
    row = await notification_stack.wait_settled(await notification_stack.pay())
    assert (row["status"], row["attempts"]) == ("parked", 1)
    assert row["error"].startswith("Perhaps it was sent")
    assert mail_server.arrived == 1


@pytest.mark.parametrize(
    "hostile",
    [
        "Pro\r\nBcc: victim@example.org\r\n\r\nGotcha",
        "Pro\nSubject: other",
        "<script>alert(1)</script>",
        '"><a href="https://evil.example">click</a>',
        "{{ app.__class__ }}{% for x in y %}",
        "\u202etxt.exe\x00\x1b[31m",
    ],
)
async def test_hostile_texts_stay_texts(
    hostile: str, notification_stack: NotificationStack, mail_server: MailServer
) -> None:
    """A description or number with line breaks, HTML or template code changes nothing but words."""
    line = {"id": "il_1", "description": hostile}
    row = await notification_stack.wait_settled(
        await notification_stack.pay(number=hostile, lines={"object": "list", "data": [line]})
    )
    assert row["status"] == "done"
    assert mail_server.recipients == [[notification_stack.user.email]]
    mail = mail_server.mails[0]
    assert mail["Bcc"] is None
    assert len(mail.get_all("Subject", [])) == 1
    assert mail["Subject"].startswith("Your receipt from Acme")
    text, html = mail_server.read_bodies()
    assert "<script" not in html
    assert 'evil.example">' not in html
    assert "\nGotcha" not in text
    assert not any(character in text for character in "\x00\x1b\u202e")


@pytest.mark.parametrize(
    "address",
    [
        "a@example.org\r\nBcc: victim@example.org",
        "a@example.org, victim@example.org",
        "Victim <victim@example.org>",
        "a b@example.org",
        "no-address",
        "@example.org",
    ],
)
async def test_a_hostile_address_gets_nothing(
    address: str, notification_stack: NotificationStack, mail_server: MailServer
) -> None:
    """Anything but exactly one address is invalid: nothing is sent, and the item has the reason."""
    guest = {"customer": None, "customer_email": address}
    row = await notification_stack.wait_settled(await notification_stack.pay(**guest))
    assert (row["status"], row["error"]) == ("waiting", "no address")
    assert mail_server.arrived == 0


async def test_without_mail_settings_it_waits(
    pocketbase_mailing: GatewayProcess, open_notification_stack: OpenNotificationStack
) -> None:
    """While PocketBase's SMTP settings are off, nothing is sent, and the item has the reason."""
    notification_stack = await open_notification_stack(pocketbase_mailing)
    row = await notification_stack.wait_settled(await notification_stack.pay())
    assert (row["status"], row["error"]) == ("waiting", "PocketBase's SMTP settings are off")


async def test_the_log_has_no_address(
    mailing_gateway: GatewayProcess, notification_stack: NotificationStack
) -> None:
    """Sent, refused and failed mails are logged by id, without the address."""
    del notification_stack
    log = mailing_gateway.log.read_text()
    assert 'msg="work done"' in log
    assert "@example.com" not in log


async def test_two_gateways_send_one_mail(
    mailing_gateway: GatewayProcess,
    pocketbase_mailing: GatewayProcess,
    pocketbase_mail: None,
    open_notification_stack: OpenNotificationStack,
    mail_server: MailServer,
) -> None:
    """Events that come to both of two gateways, several times, bring one mail each."""
    notification_stack, other = [
        await open_notification_stack(gateway) for gateway in (mailing_gateway, pocketbase_mailing)
    ]
    events = [await notification_stack.pay(number=f"SHOP-{number}") for number in range(6)]
    for event in reversed(events):
        for door in (other, notification_stack):
            assert (await door.sender.send(event)).json()["outcome"] == "duplicate"
    for event in events:
        assert (await notification_stack.wait_settled(event))["status"] == "done"

    # Mails of other tests would never end.
    own = " || ".join(f"source = '{event['id']}'" for event in events)

    async def is_quiet() -> bool:
        sending = f"status = 'running' && ({own})"
        return not await notification_stack.dashboard.count("gateway_work", sending)

    await eventually(is_quiet)
    assert sorted(mail_server.subjects) == [
        f"Your receipt from Acme: SHOP-{number}" for number in range(6)
    ]
