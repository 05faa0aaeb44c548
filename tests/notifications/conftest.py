"""Gateways that tell people, the mail server that they use, and a payer.

Gateways are started once per file, because that takes longer than most tests; their mail server
listens on the same port in every test.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import httpx
import pytest
import pytest_asyncio

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.ports import pick_free
from gateway.dev.stack import Stack
from gateway.notifications.kinds import NAMES
from tests.dashboard import Dashboard
from tests.delivery import Sender, build_customer
from tests.frontend import Frontend
from tests.notifications.mail_server import MailServer
from tests.notifications.notification_stack import SELLER, SENDER, NotificationStack
from tests.second_gateway import run_second_gateway

OpenNotificationStack = Callable[[GatewayProcess], Awaitable[NotificationStack]]


@pytest.fixture(scope="module")
def mail_port() -> int:
    """The mail server's port."""
    return pick_free()


@pytest.fixture(scope="module")
def mail_settings(mail_port: int) -> dict[str, str]:
    """All kinds, by a mail server of the gateway's own."""
    return {
        "GATEWAY_EMAIL_NOTIFICATIONS": ",".join(NAMES),
        "GATEWAY_NOTIFY_EMAIL": SELLER,
        "GATEWAY_MAIL_SENDER": SENDER,
        "GATEWAY_SMTP_URL": f"smtp://127.0.0.1:{mail_port}",
        "GATEWAY_UPSTREAM_TIMEOUT": "6",
    }


@pytest.fixture(scope="module")
def mailing_gateway(
    stack: Stack, mail_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    """A gateway that mails everything."""
    log = tmp_path_factory.mktemp("mailing") / "gateway.log"
    with run_second_gateway(stack, log, **mail_settings) as running:
        yield running


@pytest_asyncio.fixture
async def mail_server(mail_port: int, dashboard: Dashboard) -> AsyncIterator[MailServer]:
    """A mail server that takes everything, and gets nothing of what other tests left.

    The gateway's own items stay: without them, events would remain unresolved.
    """
    for row in await dashboard.list("gateway_work", "status = 'waiting' && handler !~ 'gateway.'"):
        path = f"/api/collections/gateway_work/records/{row['id']}"
        await dashboard.call("DELETE", path)
    async with MailServer(mail_port) as server:
        yield server


@pytest.fixture
def open_notification_stack(
    stack: Stack, http: httpx.AsyncClient, dashboard: Dashboard, frontend: Frontend
) -> OpenNotificationStack:
    """Sign up a payer with a customer's row at a gateway."""

    async def open_(gateway: GatewayProcess) -> NotificationStack:
        sender = Sender(http, gateway.url, stack.plan.stripe.webhook_secrets[0])
        user = await frontend.sign_up()
        customer = build_customer(user.id, email=user.email)
        notification_stack = NotificationStack(gateway, sender, dashboard, user, customer)
        await notification_stack.deliver("customer.created", customer)
        return notification_stack

    return open_


@pytest_asyncio.fixture
async def notification_stack(
    mailing_gateway: GatewayProcess, open_notification_stack: OpenNotificationStack
) -> NotificationStack:
    """The gateway that mails everything, and a payer."""
    return await open_notification_stack(mailing_gateway)
