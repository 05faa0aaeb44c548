"""The key, the webhook endpoint and the deliveries at Stripe that `gateway doctor` names."""

import time
from pathlib import Path
from typing import Any

import pytest

from gateway.dev.stack import Stack
from gateway.setup.event_types import PINNED_VERSION
from gateway.setup.permissions import PERMISSIONS
from gateway.setup.webhook_endpoint import FINGERPRINT
from tests.dashboard import Dashboard
from tests.delivery import Sender, build_customer, build_event
from tests.doctor.conftest import Doctor
from tests.stripe_account import StripeAccount

_PAYOUTS = """
from gateway import Gateway
app = Gateway()


@app.on("payout.created")
async def note(event, context):
    pass
"""


async def test_a_wrong_key_is_named(doctor: Doctor) -> None:
    """Stripe answers 401: one row fails, and the others at Stripe are skipped."""
    report = await doctor("stripe", "webhooks.types", STRIPE_SECRET_KEY="sk_test_0000000000000000")
    report.assert_failed("stripe.key", "401")
    assert report.checks["webhooks.types"]["found"] == "Stripe can't be used: see stripe.key"


async def test_a_missing_permission_is_named(doctor: Doctor, account: StripeAccount) -> None:
    """A restricted key without a needed permission fails, without an optional one it warns."""
    key = "rk_test_0123456789abcdefghijklmn"
    slugs = [each.slug for each in PERMISSIONS]
    needed = [slug for slug in slugs if slug != "quote_write"]
    await account.control("restricted_keys", key=key, permissions=needed)
    report = await doctor("stripe.permissions", STRIPE_SECRET_KEY=key)
    report.assert_failed("stripe.permissions", "Quotes: Write")
    optional = [slug for slug in slugs if slug != "payout_read"]
    await account.control("restricted_keys", key=key, permissions=optional)
    report = await doctor("stripe.permissions", STRIPE_SECRET_KEY=key)
    report.assert_failed("stripe.permissions", "Payouts: Read", status="warning")


async def test_mixed_modes_and_accounts_are_found(
    doctor: Doctor, dashboard: Dashboard, sender: Sender
) -> None:
    """A stored event is of live mode, the key of test mode; another is of another account."""

    async def send(seconds: int, **members: Any) -> list[tuple[str, str]]:
        customer = build_customer("nobody")
        created = int(time.time()) + seconds
        event = build_event("customer.created", customer, created=created, **members)
        assert (await sender.send(event)).status_code == 200
        return [("stripe_events", event["id"]), ("customers", customer["id"])]

    async def delete(rows: list[tuple[str, str]]) -> None:
        for collection, id in rows:
            row = await dashboard.find(collection, id)
            assert row
            path = f"/api/collections/{collection}/records/{row['id']}"
            await dashboard.call("DELETE", path)

    live = await send(30, livemode=True)
    newest = await doctor("stripe.mode")
    foreign = await send(60)
    earlier = await doctor("stripe.mode")
    await delete(live)
    account = await doctor("stripe.mode")
    await delete(foreign)
    newest.assert_failed("stripe.mode", "test key", "newest stored event")
    earlier.assert_failed("stripe.mode", "test key", "an earlier stored event")
    account.assert_failed("stripe.mode", "another account")
    (await doctor("stripe.mode")).assert_ok("stripe.mode")


async def _find_endpoint(account: StripeAccount) -> dict[str, Any]:
    return (await account.list("webhook_endpoints"))[0]


async def test_a_missing_endpoint_is_found(
    doctor: Doctor, account: StripeAccount, stack: Stack
) -> None:
    """Without the endpoint, one row fails, and what compares it is skipped."""
    endpoint = await _find_endpoint(account)
    await account.delete(f"webhook_endpoints/{endpoint['id']}")
    try:
        report = await doctor("webhooks")
    finally:
        secret = stack.plan.stripe.webhook_secrets[0]
        await account.control(
            "webhook_endpoints", url=endpoint["url"], secret=secret, api_version=PINNED_VERSION
        )
    report.assert_failed("webhooks.endpoint", "/webhooks/stripe")
    assert report.checks["webhooks.types"]["found"].endswith("see webhooks.endpoint")
    (await doctor("webhooks.endpoint")).assert_ok("webhooks.endpoint")


async def test_a_disabled_endpoint_is_found(doctor: Doctor, account: StripeAccount) -> None:
    """Stripe disables an endpoint that fails for days."""
    path = f"webhook_endpoints/{(await _find_endpoint(account))['id']}"
    await account.create(path, disabled="true")
    try:
        report = await doctor("webhooks.endpoint")
    finally:
        await account.create(path, disabled="false")
    report.assert_failed("webhooks.endpoint", "disabled")


async def test_an_endpoint_with_another_path_is_named(
    doctor: Doctor, account: StripeAccount
) -> None:
    """A wrong path is no endpoint of this gateway; the row names it."""
    endpoint = await _find_endpoint(account)
    path = f"webhook_endpoints/{endpoint['id']}"
    wrong = endpoint["url"].replace("/webhooks/stripe", "/webhook/stripe")
    await account.create(path, url=wrong)
    try:
        report = await doctor("webhooks")
    finally:
        await account.create(path, url=endpoint["url"])
    report.assert_failed("webhooks.endpoint", "no webhook endpoint", wrong)
    assert report.checks["webhooks.secret"]["status"] == "skipped"


async def test_two_endpoints_of_one_address_are_found(
    doctor: Doctor, account: StripeAccount
) -> None:
    """Each event would come twice, once with a secret that is perhaps unknown."""
    first = await _find_endpoint(account)
    given = {"url": f"{first['url']}/", "enabled_events[0]": "*", "api_version": PINNED_VERSION}
    made = await account.create("webhook_endpoints", **given)
    try:
        report = await doctor("webhooks.endpoint", "webhooks.secret")
    finally:
        await account.delete(f"webhook_endpoints/{made['id']}")
    report.assert_failed("webhooks.endpoint", first["id"], made["id"], status="warning")
    # Deliveries from before its creation do not show that its secret is known.
    assert report.checks["webhooks.secret"]["status"] == "skipped"


async def test_missing_event_types_are_named(doctor: Doctor, account: StripeAccount) -> None:
    """An endpoint that gets one type lacks the others."""
    path = f"webhook_endpoints/{(await _find_endpoint(account))['id']}"
    await account.create(path, **{"enabled_events[0]": "invoice.paid"})
    try:
        report = await doctor("webhooks.types")
    finally:
        await account.create(path, **{"enabled_events[0]": "*"})
    report.assert_failed("webhooks.types", "charge.")


@pytest.mark.parametrize(
    ("id", "words", "status", "fields"),
    [
        ("webhooks.version", "default", "warning", {}),
        (
            "webhooks.secret",
            "lacks the secret",
            "failed",
            {f"metadata[{FINGERPRINT}]": "0123456789abcdef", "api_version": PINNED_VERSION},
        ),
    ],
)
async def test_another_endpoint_is_compared(
    id: str,
    words: str,
    status: str,
    fields: dict[str, str],
    doctor: Doctor,
    account: StripeAccount,
) -> None:
    """The newest endpoint at the address has another API version, or another secret."""
    first = await _find_endpoint(account)
    path = f"webhook_endpoints/{first['id']}"
    await account.create(path, disabled="true")
    given = {"url": first["url"], "enabled_events[0]": "*", **fields}
    made = await account.create("webhook_endpoints", **given)
    try:
        report = await doctor(id)
    finally:
        await account.delete(f"webhook_endpoints/{made['id']}")
        await account.create(path, disabled="false")
    report.assert_failed(id, words, status=status)


async def test_a_secret_of_another_configuration_is_found(doctor: Doctor, stack: Stack) -> None:
    """The running gateway does not have a secret of the present settings."""
    secrets = f"{stack.plan.stripe.webhook_secrets[0]},whsec_0123456789abcdefghijklmn"
    report = await doctor("webhooks.signature", STRIPE_WEBHOOK_SECRETS=secrets)
    report.assert_failed("webhooks.signature", "STRIPE_WEBHOOK_SECRETS")


async def test_late_deliveries_and_clocks_are_found(
    doctor: Doctor, account: StripeAccount, tmp_path: Path
) -> None:
    """Events that wait for ten minutes of Stripe's time, which is then ahead of this machine's.

    Also those that only a handler of the app uses.

    The last test of Stripe, because its clock can't be set back.
    """
    async with account.holding_deliveries():
        await account.create("products", name="Undelivered")
        await account.create("payouts", amount=1_000, currency="usd")
        await account.control("clock/advance", seconds=700)
        (tmp_path / "doctor_payouts.py").write_text(_PAYOUTS)
        report = await doctor("webhooks", "clocks", GATEWAY_APP="doctor_payouts:app")
    report.assert_failed("webhooks.deliveries", "product.created")
    report.assert_failed("webhooks.missed", "product.created", "payout.created")
    report.assert_failed("clocks.stripe", "differs by")
    report.assert_ok("clocks.pocketbase")
    await account.wait_delivered()
    report = await doctor("webhooks")
    report.assert_ok("webhooks.deliveries")
    report.assert_ok("webhooks.missed")
