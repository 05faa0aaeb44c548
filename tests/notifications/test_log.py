"""The log of a whole run: purchase, deliveries, mails, refused requests and failures."""

import json
from collections.abc import Callable

import pytest

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.stack import Stack
from tests.delivery import sign
from tests.notifications.conftest import OpenNotificationStack
from tests.notifications.mail_server import MailServer
from tests.notifications.notification_stack import SELLER, NotificationStack
from tests.shop import Shop, build_order

_PRIVATE = "Private-Words-Of-A-Customer"
_KEY = "sk_test_of_another_account_1234"


@pytest.mark.parametrize("form", ["logfmt", "json"])
async def test_a_whole_run_logs_keys_and_no_personal_data(
    form: str,
    stack: Stack,
    start_gateway: Callable[..., GatewayProcess],
    mail_settings: dict[str, str],
    mail_server: MailServer,
    open_notification_stack: OpenNotificationStack,
    superuser_token: str,
) -> None:
    """Each line is in the chosen format; none has an address, a token, a secret or a payload."""
    env = mail_settings | {"GATEWAY_LOG_LEVEL": "DEBUG", "GATEWAY_LOG_FORMAT": form}
    gateway = start_gateway(**env)
    notification_stack = await open_notification_stack(gateway)
    event, refused = await _run(notification_stack, mail_server)
    gateway.stop()
    other = start_gateway(**env, STRIPE_SECRET_KEY=_KEY)
    shop = Shop(notification_stack.sender.http, other.url)
    answer = await shop.post("/checkout", notification_stack.user, build_order("lifetime"))
    assert answer.status_code == 502
    other.stop()
    log = other.log.read_text()
    assert gateway.log == other.log

    secrets = {
        "payer's address": notification_stack.user.email,
        "seller's address": SELLER,
        "sender's address": "billing@shop.test",
        "user's token": notification_stack.user.token,
        "superuser's token": superuser_token,
        "tokens": "eyJ",
        "superuser's password": stack.plan.superuser.password,
        "superuser's address": stack.plan.superuser.email,
        "Stripe key": stack.plan.stripe.secret_key,
        "another Stripe key": _KEY,
        "webhook secret": notification_stack.sender.secret,
        "payload": _PRIVATE,
        "payload's link": "invoice.stripe.com",
    }
    found = [name for name, secret in secrets.items() if secret.lower() in log.lower()]
    assert found == []
    for named in (event["id"], refused["id"], "stripe refused the key", "CORS refused"):
        assert named in log
    if form == "json":
        _check_lines([json.loads(line) for line in log.splitlines()], event["id"], refused["id"])


async def _run(
    notification_stack: NotificationStack, mail_server: MailServer
) -> tuple[dict[str, str], dict[str, str]]:
    """Use the gateway well and badly; return the events of a mail that was sent and of one not."""
    http, url, user = (
        notification_stack.sender.http,
        notification_stack.gateway.url,
        notification_stack.user,
    )
    await Shop(http, url).check_out(user, "pro_monthly")
    line = {"id": "il_1", "description": _PRIVATE}
    event = await notification_stack.pay(lines={"object": "list", "data": [line]})
    assert (await notification_stack.wait_settled(event))["status"] == "done"
    mail_server.answers["RCPT"] = f"550 <{user.email.upper()}>: {user.email} is unknown"
    refused = await notification_stack.pay(number=_PRIVATE)
    assert (await notification_stack.wait_settled(refused))["status"] == "parked"
    for authorization in (f"Bearer {user.token}x", f"Bearer {_PRIVATE}", user.token):
        headers = {"Authorization": authorization}
        path = f"/subscriptions/{user.email}/cancel?token={user.token}"
        await http.post(url + path, json={"when": _PRIVATE}, headers=headers)
    await http.post(f"{url}/subscriptions/{user.email}/cancel", json={}, headers=user.bearer)
    broken = json.dumps(event).encode()[:-1]
    assert (await notification_stack.sender.send_signed(broken)).status_code == 400
    unsigned = {"Stripe-Signature": sign(broken, notification_stack.sender.secret, at=1)}
    assert (await notification_stack.sender.post(broken, unsigned)).status_code == 400
    await http.get(f"{url}/health", headers={"Origin": f"https://{user.email}"})
    await http.get(f"{url}/health", headers={"X-Request-Id": f"{user.email} {user.token}"})
    return event, refused


def _check_lines(lines: list[dict[str, str]], event: str, refused: str) -> None:
    for line in lines:
        assert {"time", "level", "msg"} <= line.keys()
    [delivery] = [
        line for line in lines if line["msg"] == "stripe event" and line["event"] == event
    ]
    assert {"type", "object", "outcome", "ms", "request"} <= delivery.keys()
    [failure] = [
        line for line in lines if line["msg"] == "work parked" and line["event"] == refused
    ]
    assert (failure["handler"], failure["type"]) == ("mail", "invoice.paid")
    assert "550" in failure["reason"]
    problems = [line for line in lines if line["msg"] == "problem"]
    assert len(problems) >= 5
    assert all(line["request"] and line["problem"] for line in problems)
