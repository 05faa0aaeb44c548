"""Logs tell what happened, and neither secrets nor what people wrote."""

import asyncio
import json
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.stack import Stack
from tests.delivery import Sender, build_customer, build_event, sign
from tests.frontend import Frontend
from tests.log_scan import find_secrets
from tests.shop import ORIGIN, Shop, build_order

_PRIVATE = "Private-Words-Of-A-Customer"


async def test_the_log_holds_no_secret(
    stack: Stack,
    start_gateway: Callable[..., GatewayProcess],
    frontend: Frontend,
    http: httpx.AsyncClient,
    superuser_token: str,
) -> None:
    """At DEBUG, after good and bad requests of every kind, no secret and no payload is logged."""
    gateway = start_gateway(GATEWAY_LOG_LEVEL="DEBUG", GATEWAY_ACCESS_LOG="true")
    user = await frontend.sign_up()
    path = f"/api/collections/users/records/{user.id}"
    await frontend.call("PATCH", path, token=user.token, body={"name": _PRIVATE})

    shop = Shop(http, gateway.url)
    await shop.check_out(user, "pro_monthly")
    await shop.open_portal(user)
    bad_orders = (
        build_order("price_unknown"),
        build_order("lifetime", surprise=_PRIVATE),
        build_order("lifetime", success_url=f"https://evil.com/{_PRIVATE}"),
        [_PRIVATE],
    )
    for order in bad_orders:
        assert (await shop.post("/checkout", user, order)).status_code == 400
    address = f"{ORIGIN}/{_PRIVATE}"
    for authorization in (f"Bearer {user.token}x", f"Bearer {superuser_token}", _PRIVATE):
        headers = {"Authorization": authorization}
        answer = await http.post(
            f"{gateway.url}/portal", json={"return_url": address}, headers=headers
        )
        assert answer.status_code == 401
    await http.get(f"{gateway.url}/{_PRIVATE}?token={user.token}")
    await _ask_for_websocket(gateway, f"/{_PRIVATE}?token={_PRIVATE}")
    admin = {"Authorization": superuser_token}
    await http.get(f"{gateway.url}/admin/events/evt_unknown", headers=admin)

    sender = Sender(http, gateway.url, stack.plan.stripe.webhook_secrets[0])
    customer = build_customer(user.id, email=user.email, name=_PRIVATE, phone=_PRIVATE)
    event = build_event("customer.created", customer)
    assert (await sender.send(event)).status_code == 200
    broken = json.dumps(event).encode()[:-1]
    assert (await sender.send_signed(broken)).status_code == 400
    unsigned = {"Stripe-Signature": sign(broken, sender.secret, at=1)}
    assert (await sender.post(broken, unsigned)).status_code == 400

    gateway.stop()
    log = gateway.log.read_text()
    assert event["id"] in log
    assert "level=debug" in log
    for line in (
        "msg=request method=POST route=/checkout status=400",
        "msg=request method=POST route=/webhooks/stripe status=200",
        'msg=request method=GET route="/admin/events/{event}" status=404',
        'msg=request method=GET route="" status=404',
    ):
        assert line in log
    secrets = {
        "superuser's password": stack.plan.superuser.password,
        "superuser's address": stack.plan.superuser.email,
        "superuser's token": superuser_token,
        "Stripe key": stack.plan.stripe.secret_key,
        "webhook secret": sender.secret,
        "signature": unsigned["Stripe-Signature"].rpartition("=")[2],
        "user's token": user.token,
        "token": "eyJ",
        "user's address": user.email,
        "payload": _PRIVATE,
        "line of a handshake": "WebSocket ",
    }
    assert [name for name, secret in secrets.items() if secret in log] == []


async def _ask_for_websocket(gateway: GatewayProcess, path: str) -> None:
    """Send a handshake with private words in the path, the query and headers."""
    address = urlsplit(gateway.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = (
        f"GET {path} HTTP/1.1",
        f"Host: {address.netloc}",
        "Connection: upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        f"Authorization: Basic {_PRIVATE}",
        f"Cookie: session={_PRIVATE}",
    )
    writer.write("\r\n".join((*head, "", "")).encode())
    assert (await reader.readline()).startswith(b"HTTP/1.1 403 ")
    writer.close()


def test_the_scan_of_the_whole_run_finds_secrets() -> None:
    """At the end of the run, the shared gateway's log is scanned for what must not be in it."""
    lines = [
        "msg=a reason=eyJhbGciOiJI.eyJpZCI6.c2ln",
        "msg=b key=sk_test_123456",
        "msg=c secret=whsec_MfKQ",
        "msg=d to=ada@example.com",
    ]
    harmless = "msg=e event=evt_1 route=/checkout reason=<masked> module_@ whsec_ eyJ"
    assert len(find_secrets("\n".join([*lines, harmless]))) == len(lines)


async def test_a_request_can_not_forge_a_line(
    start_gateway: Callable[..., GatewayProcess], http: httpx.AsyncClient
) -> None:
    """Line breaks and control characters in a path are shown escaped."""
    gateway = start_gateway()
    path = "/admin/events/%0Atime=forged%1b[31m%C2%85%E2%80%A8"
    assert (await http.get(gateway.url + path)).status_code == 401
    too_long = await http.post(f"{gateway.url}/x%0D%0Atime=forged", content=b"x" * 2_000_000)
    assert too_long.status_code == 413
    gateway.stop()
    log = gateway.log.read_text()
    assert log.count("forged") == 2
    assert not any(line.startswith("time=forged") for line in log.splitlines())
    assert all(character.isprintable() for line in log.split("\n") for character in line)
