"""Events of a Stripe organization: `context` names the account that each is of."""

import json
import time
from collections.abc import Callable
from secrets import token_hex
from typing import Any

import httpx
import pytest

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.stack import Stack
from gateway.stripe_api.event import parse
from tests.dashboard import Dashboard
from tests.delivery import Sender, build_customer, build_event
from tests.frontend import Frontend
from tests.resolution import wait_resolved
from tests.stripe_account import StripeAccount

Json = dict[str, Any]


async def _send(sender: Sender, dashboard: Dashboard, event: Json) -> str:
    """Deliver an event; return its outcome once it is resolved."""
    answer = await sender.send(event)
    assert answer.status_code == 200, answer.text
    return await wait_resolved(dashboard, event["id"])


def _thin(customer: Json, context: str) -> Json:
    return {
        "id": f"evt_test_{customer['id']}{len(context)}",
        "object": "v2.core.event",
        "type": "v1.customer.updated",
        "created": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
        "context": context,
        "livemode": False,
        "related_object": {
            "id": customer["id"],
            "type": "customer",
            "url": f"/v1/customers/{customer['id']}",
        },
    }


async def test_a_snapshot_of_the_own_account_is_applied(
    sender: Sender, frontend: Frontend, dashboard: Dashboard, account: StripeAccount
) -> None:
    """An event with our account as `context` changes rows like one without it."""
    own = (await account.read("account"))["id"]
    user = await frontend.sign_up()
    customer = build_customer(user.id, name="Ours")

    assert (
        await _send(sender, dashboard, build_event("customer.created", customer, context=own))
        == "applied"
    )

    row = await dashboard.find("customers", customer["id"])
    assert row
    assert (row["user"], row["name"]) == (user.id, "Ours")


@pytest.mark.parametrize("path", ["acct_other", "{own}/acct_other", "acct_other/{own}"])
async def test_another_accounts_events_are_kept_apart(
    path: str, sender: Sender, frontend: Frontend, dashboard: Dashboard, account: StripeAccount
) -> None:
    """An event of another account, or of one below ours, is stored and changes no row."""
    context = path.format(own=(await account.read("account"))["id"])
    user = await frontend.sign_up()
    customer = build_customer(user.id)
    event = build_event("customer.created", customer, context=context)

    assert await _send(sender, dashboard, event) == "connect"

    assert await dashboard.find("customers", customer["id"]) is None
    stored = await dashboard.find("stripe_events", event["id"])
    assert stored
    assert stored["account"] == context


async def test_thin_events_are_told_apart_as_well(
    sender: Sender, dashboard: Dashboard, account: StripeAccount
) -> None:
    """A thin event of our account is read from Stripe, one of another account is not."""
    own = (await account.read("account"))["id"]
    async with account.holding_deliveries():
        customer = await account.create("customers", name="Thin")
        assert await _send(sender, dashboard, _thin(customer, "acct_other")) == "connect"
        assert await dashboard.find("customers", customer["id"]) is None
        assert await _send(sender, dashboard, _thin(customer, own)) == "applied"
    row = await dashboard.find("customers", customer["id"])
    assert row
    assert row["name"] == "Thin"


async def test_a_connected_accounts_event_stays_apart(
    sender: Sender, dashboard: Dashboard, account: StripeAccount
) -> None:
    """`account` names a connected account, whatever the `context` says."""
    own = (await account.read("account"))["id"]
    customer = build_customer("nobody")
    event = build_event("customer.created", customer, account="acct_1", context=own)
    assert await _send(sender, dashboard, event) == "connect"
    assert await dashboard.find("customers", customer["id"]) is None


@pytest.mark.parametrize("own", ["", "acct_own"])
def test_the_account_of_an_event(own: str) -> None:
    """Without a known account of ours every named account is another."""
    event = build_event("customer.created", {"id": "cus_1"}, context="acct_own")
    assert parse(json.dumps(event), own).account == ("" if own else "acct_own")


async def test_a_live_gateway_keeps_test_data_apart(
    start_gateway: Callable[..., GatewayProcess],
    stack: Stack,
    http: httpx.AsyncClient,
    dashboard: Dashboard,
    frontend: Frontend,
) -> None:
    """With a live key, an event of test mode is stored and changes no row."""
    live = start_gateway(STRIPE_SECRET_KEY=f"sk_live_{token_hex(8)}").url
    sender = Sender(http, live, stack.plan.stripe.webhook_secrets[0])
    customer = build_customer((await frontend.sign_up()).id)
    for is_live, outcome in ((False, "connect"), (True, "applied")):
        event = build_event("customer.created", customer, livemode=is_live)
        assert await _send(sender, dashboard, event) == outcome
        assert bool(await dashboard.find("customers", customer["id"])) is is_live
