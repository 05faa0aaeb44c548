"""PocketBase with something for every route to answer, and no gateway that takes it away."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack
from gateway.pocketbase import PocketBase
from tests.dashboard import Dashboard, open_dashboard
from tests.frontend import User
from tests.gateway_settings import open_pocketbase
from tests.http_client import open_client
from tests.shop import Shop, build_order
from tests.stripe_account import StripeAccount
from tests.teams.team import found_team
from tests.teams.test_purchase import buy, offer

_PRICE = {"recurring[interval]": "month", "currency": "usd", "unit_amount": 2}
_USERS = "/api/collections/users/records"
_WORK = "/api/collections/gateway_work/records"


@dataclass(frozen=True, slots=True)
class Business:
    """Purchases made before the gateway stopped."""

    stack: Stack
    #: A buyer with a running subscription and a meter.
    user: User
    subscription: str
    meter: str
    customer: str
    #: An organization with a plan per member and one member more than it pays for.
    team: str
    owner: User
    #: The organization without members.
    vacant: str
    #: The event of a paid invoice with a due mail.
    event: str


@pytest.fixture(scope="session")
def business(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Business]:
    """Buy, stop the gateway, and change what it would react to."""
    folder = tmp_path_factory.mktemp("contracts")
    kinds = "receipt,renewal,trial_ending,payment_failed"
    with Stack(plan_throwaway(folder, {"GATEWAY_EMAIL_NOTIFICATIONS": kinds})) as stack:
        yield asyncio.run(_trade(stack))


async def _trade(stack: Stack) -> Business:
    async with open_client() as http, open_dashboard(stack.pocketbase) as dashboard:
        frontend = dashboard.frontend
        account, shop = StripeAccount(http, stack.simulator), Shop(http, stack.gateway.url)
        user, leaving = await frontend.sign_up(), await frontend.sign_up()
        meter = await _subscribe(account, user)
        await shop.check_out(leaving, "lifetime")
        team, vacant = [await found_team(frontend, dashboard) for _ in range(2)]
        await buy(shop, team, team.owner, await offer(account, features="pro", seats="members"))
        await buy(shop, vacant, vacant.owner, await offer(account, features="pro"))
        session = await shop.post("/checkout", user, build_order("lifetime"))
        await shop.pay(session.json())
        await account.wait_delivered()
        stack.gateway.stop()
        await frontend.call("DELETE", f"{_USERS}/{leaving.id}", token=leaving.token)
        await team.add(await frontend.sign_up())
        for each in (vacant.member, vacant.admin, vacant.owner):
            await dashboard.call("DELETE", f"{_USERS}/{each.id}")
        event = await _make_due(dashboard)
        [row] = await dashboard.list("subscriptions", f"user = '{user.id}'")
        [customer] = await dashboard.list("customers", f"user = '{user.id}'")
        return Business(
            stack,
            user,
            subscription=row["stripe_id"],
            meter=meter,
            customer=customer["stripe_id"],
            team=team.id,
            owner=team.owner,
            vacant=vacant.id,
            event=event,
        )


async def _subscribe(account: StripeAccount, user: User) -> str:
    """Subscribe a user to metered usage; return the meter."""
    meter = await account.create(
        "billing/meters",
        display_name="Calls",
        event_name="calls",
        **{"default_aggregation[formula]": "sum"},
    )
    product = await account.create("products", name="Calls")
    recurring: dict[str, Any] = {
        "recurring[usage_type]": "metered",
        "recurring[meter]": meter["id"],
    }
    price = await account.create("prices", product=product["id"], **(_PRICE | recurring))
    metadata = {"metadata[pocketbase_user]": user.id}
    customer = await account.create("customers", email=user.email, **metadata)
    await account.create("payment_methods/pm_card_visa/attach", customer=customer["id"])
    [card] = await account.list(f"customers/{customer['id']}/payment_methods")
    paid = {"default_payment_method": card["id"], "items[0][price]": price["id"]}
    await account.create("subscriptions", customer=customer["id"], **paid)
    await account.wait_delivered()
    return str(meter["id"])


async def _make_due(dashboard: Dashboard) -> str:
    """Let a receipt's mail be due, and cancel all others; return its event."""
    rows = await dashboard.list("gateway_work", "handler = 'mail'")
    chosen = next(row for row in rows if _is_receipt(row["payload"]))
    for row in rows:
        values = {"status": "cancelled"}
        if row["id"] == chosen["id"]:
            values = {"status": "waiting", "due": "2020-01-01 00:00:00.000Z"}
        await dashboard.call("PATCH", f"{_WORK}/{row['id']}", values)
    return str(chosen["source"])


def _is_receipt(payload: dict[str, str]) -> bool:
    return payload["kind"] == "receipt" and bool(payload["record"])


@pytest_asyncio.fixture
async def pocketbase(business: Business) -> AsyncIterator[PocketBase]:
    """The gateway's client of that PocketBase."""
    async with open_pocketbase(business.stack.pocketbase) as client:
        yield client
