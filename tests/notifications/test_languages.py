"""Mails in the payer's language; the only gateway here that mails has templates of its own."""

from collections.abc import Iterator

import pytest

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.stack import Stack
from tests.delivery import Json, build_event
from tests.notifications.conftest import OpenNotificationStack
from tests.notifications.mail_server import MailServer
from tests.notifications.notification_stack import build_session
from tests.second_gateway import run_second_gateway


@pytest.fixture(scope="module")
def german_gateway(
    stack: Stack, mail_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    """A gateway with a receipt in German, and one that names the language."""
    folder = tmp_path_factory.mktemp("templates")
    (folder / "receipt.de.txt").write_text("Danke!\n\n{{ amount | money(currency) }}")
    (folder / "receipt.txt").write_text("Receipt\n\nlocale={{ locale }}")
    settings = mail_settings | {"GATEWAY_MAIL_TEMPLATES": str(folder)}
    with run_second_gateway(stack, folder / "gateway.log", **settings) as running:
        yield running


@pytest.mark.parametrize(
    ("customer", "session", "subject", "text"),
    [
        ({"preferred_locales": ["de-AT", "en"]}, {}, "Danke!", "20.00 USD"),
        ({}, {"locale": "de"}, "Danke!", "20.00 USD"),
        ({}, {"locale": "fr"}, "Receipt", "locale=fr"),
        ({}, {"locale": "auto"}, "Receipt", "locale="),
        ({"preferred_locales": "de"}, {"locale": "../x"}, "Receipt", "locale="),
    ],
)
async def test_a_mail_is_in_the_payers_language(
    customer: Json,
    session: Json,
    subject: str,
    text: str,
    german_gateway: GatewayProcess,
    open_notification_stack: OpenNotificationStack,
    mail_server: MailServer,
) -> None:
    """The customer's preferred language, else the session's, chooses and reaches the template."""
    notification_stack = await open_notification_stack(german_gateway)
    known = notification_stack.customer | customer
    await notification_stack.deliver(
        "customer.updated", known, created=build_event("", {})["created"] + 1
    )
    item = build_session(known["id"], **session)
    event = await notification_stack.deliver("checkout.session.completed", item)
    assert (await notification_stack.wait_settled(event))["status"] == "done"
    assert (mail_server.subjects, mail_server.read_text()) == ([subject], text)
