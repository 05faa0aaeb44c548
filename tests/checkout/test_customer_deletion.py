"""Deletion of a user: the setting's effect at Stripe, and the stored record of it."""

from collections.abc import Callable

import httpx
import pytest

from gateway.dev.stack import Stack
from tests.dashboard import open_dashboard
from tests.frontend import User
from tests.shop import Shop
from tests.stripe_account import StripeAccount


async def _subscribe(shop: Shop, account: StripeAccount, user: User) -> tuple[str, str]:
    """Return the ids of the subscription and of a session that is still open."""
    session = await shop.check_out(user, "pro_monthly")
    await shop.pay(session)
    await account.wait_delivered()
    paid = await account.read(f"checkout/sessions/{session['id']}")
    return paid["subscription"], (await shop.check_out(user, "lifetime"))["id"]


@pytest.mark.parametrize(
    ("setting", "outcome", "status", "session"),
    [
        ("keep", "kept", "active", "open"),
        ("cancel", "canceled", "canceled", "expired"),
        ("delete", "deleted", "canceled", "expired"),
    ],
)
async def test_the_setting_decides(
    setting: str,
    outcome: str,
    status: str,
    session: str,
    fresh_stack: Callable[..., Stack],
    http: httpx.AsyncClient,
) -> None:
    """Subscriptions and open sessions end, the person's data goes, also after a gateway's pause."""
    stack = fresh_stack(GATEWAY_USER_DELETION_POLICY=setting)
    account, shop = StripeAccount(http, stack.simulator), Shop(http, stack.gateway.url)
    await account.wait_delivered()
    async with open_dashboard(stack.pocketbase) as dashboard:
        frontend = dashboard.frontend
        user = await frontend.sign_up()
        subscription, open_session = await _subscribe(shop, account, user)
        stack.gateway.stop()
        path = f"/api/collections/users/records/{user.id}"
        await frontend.call("DELETE", path, token=user.token)
        stack.gateway.start()
        stack.gateway.wait_healthy()
        deletion = await dashboard.wait_payer_change(f"payer = '{user.id}'")
        assert (deletion["kind"], deletion["outcome"]) == ("deleted", outcome)
        assert deletion["finished"]
        assert user.email not in str(deletion)
        assert (await account.read(f"subscriptions/{subscription}"))["status"] == status
        assert (await account.read(f"checkout/sessions/{open_session}"))["status"] == session
        customer = await account.read(f"customers/{deletion['customer']}")
        assert customer.get("deleted", False) is (setting == "delete")
        await account.wait_delivered()
        row = await dashboard.find("customers", deletion["customer"])
        assert row is not None
        assert row["user"] == ""
        assert (row["email"] == "") is (setting == "delete")
        sessions = await dashboard.list("checkout_sessions", f"customer = '{row['id']}'")
        assert any(each["email"] for each in sessions) is (setting != "delete")


async def test_it_is_tried_until_it_is_done(
    fresh_stack: Callable[..., Stack], http: httpx.AsyncClient
) -> None:
    """While Stripe fails the item stays, with the reason; in the end everything is canceled."""
    stack = fresh_stack()
    account, shop = StripeAccount(http, stack.simulator), Shop(http, stack.gateway.url)
    await account.wait_delivered()
    async with open_dashboard(stack.pocketbase) as dashboard:
        frontend = dashboard.frontend
        user = await frontend.sign_up()
        subscription, _ = await _subscribe(shop, account, user)
        path = f"/v1/subscriptions/{subscription}"
        await account.control("faults", method="DELETE", path=path, status=503, times=3)
        users = f"/api/collections/users/records/{user.id}"
        await frontend.call("DELETE", users, token=user.token)
        deletion = await dashboard.wait_payer_change(f"payer = '{user.id}'")
        [item] = await dashboard.list("gateway_work", f"key = '{deletion['customer']}'")
        assert (item["result"], item["error"]) == ({"outcome": "canceled"}, "")
        assert item["attempts"] > 1
        found = await account.read(f"subscriptions/{subscription}")
        assert found["status"] == "canceled"
