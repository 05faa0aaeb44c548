"""The buttons of the simulator's pages change the buyer's rows, as the same scenario at Stripe."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack
from tests.catalogue import wait_for_catalogue
from tests.frontend import Frontend, User
from tests.http_client import open_client
from tests.shop import Shop
from tests.stripe_account import StripeAccount


@pytest.fixture(scope="module")
def stack_with_clock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Running parts of these tests alone: the simulator's clock moves."""
    with Stack(plan_throwaway(tmp_path_factory.mktemp("scenarios"))) as running:
        wait_for_catalogue(running.pocketbase)
        yield running


@dataclass(frozen=True, slots=True)
class Buyer:
    """A user with a subscription or a single purchase."""

    user: User
    frontend: Frontend
    shop: Shop
    account: StripeAccount
    simulator_url: str

    async def buy(self, price: str) -> None:
        """Pay, and wait for the rows."""
        await self.shop.pay(await self.shop.check_out(self.user, price))
        await self.account.wait_delivered()

    async def read(self, collection: str) -> dict[str, Any]:
        """Return one of the user's rows."""
        rows = await self.frontend.list_records(collection, token=self.user.token)
        return rows[0]

    async def press(self, kind: str, id: str, scenario: str, **fields: str) -> None:
        """Press a button of an object's page, and wait for the rows."""
        path = f"/objects/{kind}/{id}" if id else "/"
        answer = await self.shop.press(f"{self.simulator_url}{path}", scenario=scenario, **fields)
        assert answer.status_code == 303, answer.text
        await self.account.wait_delivered()


@pytest_asyncio.fixture
async def buyer(stack_with_clock: Stack) -> AsyncIterator[Buyer]:
    """A new user."""
    stack = stack_with_clock
    async with open_client() as http, Frontend(stack.pocketbase.url) as frontend:
        shop, account = Shop(http, stack.gateway.url), StripeAccount(http, stack.simulator)
        yield Buyer(await frontend.sign_up(), frontend, shop, account, stack.simulator.url)


async def test_renew(buyer: Buyer) -> None:
    """The subscription's period moves, and a second invoice is paid."""
    await buyer.buy("pro_monthly")
    before = await buyer.read("subscriptions")
    await buyer.press("subscription", before["stripe_id"], "renew")
    after = await buyer.read("subscriptions")
    assert after["current_period_start"] == before["current_period_end"]
    invoices = await buyer.frontend.list_records("invoices", token=buyer.user.token)
    assert [invoice["status"] for invoice in invoices] == ["paid", "paid"]


async def test_fail_and_pay(buyer: Buyer) -> None:
    """The subscription is past due until its invoice is paid."""
    await buyer.buy("pro_monthly")
    id = (await buyer.read("subscriptions"))["stripe_id"]
    await buyer.press("subscription", id, "use_declining_card")
    await buyer.press("subscription", id, "renew")
    assert (await buyer.read("subscriptions"))["status"] == "past_due"
    invoices = await buyer.frontend.list_records(
        "invoices", token=buyer.user.token, filter="status = 'open'"
    )
    await buyer.press("invoice", invoices[0]["stripe_id"], "pay")
    assert (await buyer.read("subscriptions"))["status"] == "active"


async def test_refund(buyer: Buyer) -> None:
    """A part is refunded, then the rest; the entitlement ends with the rest."""
    await buyer.buy("lifetime")
    charge = (await buyer.read("charges"))["stripe_id"]
    await buyer.press("charge", charge, "refund_part", number="300")
    assert (await buyer.read("charges"))["amount_refunded"] == 300
    assert (await buyer.read("entitlements"))["active"] is True
    await buyer.press("charge", charge, "refund")
    assert (await buyer.read("charges"))["refunded"] is True
    assert (await buyer.read("entitlements"))["active"] is False


@pytest.mark.parametrize("scenario", ["win", "lose"])
async def test_dispute(buyer: Buyer, scenario: str) -> None:
    """The charge is disputed; the bank's decision decides about the entitlement."""
    await buyer.buy("lifetime")
    charge = (await buyer.read("charges"))["stripe_id"]
    await buyer.press("charge", charge, "dispute")
    assert (await buyer.read("charges"))["disputed"] is True
    [dispute] = [each for each in await buyer.account.list("disputes") if each["charge"] == charge]
    await buyer.press("dispute", dispute["id"], scenario)
    assert (await buyer.read("entitlements"))["active"] is (scenario == "win")


async def test_cancel(buyer: Buyer) -> None:
    """The row shows the end, then that it was taken back, then that it came."""
    await buyer.buy("pro_monthly")
    id = (await buyer.read("subscriptions"))["stripe_id"]
    await buyer.press("subscription", id, "cancel_at_period_end")
    assert (await buyer.read("subscriptions"))["cancel_at"]
    await buyer.press("subscription", id, "keep")
    assert not (await buyer.read("subscriptions"))["cancel_at"]
    await buyer.press("subscription", id, "cancel_now")
    assert (await buyer.read("subscriptions"))["status"] == "canceled"
    assert (await buyer.read("entitlements"))["active"] is False


async def test_advance_the_clock(buyer: Buyer) -> None:
    """A month renews every monthly subscription."""
    await buyer.buy("pro_monthly")
    before = await buyer.read("subscriptions")
    await buyer.press("account", "", "advance_month")
    after = await buyer.read("subscriptions")
    assert after["current_period_start"] == before["current_period_end"]
