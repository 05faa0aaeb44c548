"""A payer is deleted: nothing at Stripe begins, bills or charges by itself afterwards."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from gateway.dev.stack import Stack
from tests.dashboard import Dashboard, open_dashboard
from tests.deadline import eventually
from tests.frontend import Frontend, User
from tests.shop import Shop, build_order
from tests.stripe_account import StripeAccount
from tests.teams.team import found_team

_DAY = 86_400
_USERS = "/api/collections/users/records"


@dataclass(frozen=True)
class Leaving:
    """A separate stack with a clock that tests may move."""

    frontend: Frontend
    dashboard: Dashboard
    account: StripeAccount
    shop: Shop

    async def subscribe(self, user: User, **order: Any) -> tuple[str, str]:
        """Return the ids of the customer and the subscription."""
        answer = await self.shop.post("/checkout", user, build_order("pro_monthly", **order))
        session = answer.raise_for_status().json()
        await self.shop.pay(session)
        await self.account.wait_delivered()
        paid = await self.account.read(f"checkout/sessions/{session['id']}")
        return paid["customer"], paid["subscription"]

    async def delete(self, user: User) -> None:
        """The user deletes the account."""
        path = f"{_USERS}/{user.id}"
        await self.frontend.call("DELETE", path, token=user.token)

    async def wait_done(self, customer: str, outcome: str = "canceled") -> dict[str, Any]:
        """Wait until the customer's deletion is done; return its record."""
        where = f"customer = '{customer}' && outcome = '{outcome}'"
        return await self.dashboard.wait_payer_change(where)


@pytest_asyncio.fixture
async def leaving(
    fresh_stack: Callable[..., Stack], http: httpx.AsyncClient
) -> AsyncIterator[Leaving]:
    """With the default for GATEWAY_USER_DELETION_POLICY."""
    stack = fresh_stack()
    account, shop = StripeAccount(http, stack.simulator), Shop(http, stack.gateway.url)
    await account.wait_delivered()
    async with open_dashboard(stack.pocketbase) as dashboard:
        yield Leaving(dashboard.frontend, dashboard, account, shop)


async def _plan_everything(account: StripeAccount, customer: str) -> dict[str, str]:
    """Leave one of each that acts later; return the paths, by name."""
    price = (await account.list("prices", **{"lookup_keys[]": "pro_monthly"}))[0]["id"]
    once = (await account.list("prices", **{"lookup_keys[]": "lifetime"}))[0]["id"]
    now = (await account.read("prices?limit=1"))["data"][0]["created"]
    theirs: dict[str, str | int] = {"customer": customer}
    phase = {"phases[0][items][0][price]": price, "phases[0][duration][interval]": "month"}
    made = {}
    made["scheduled"] = await account.create(
        "subscription_schedules", **theirs, **phase, start_date=now + 3 * _DAY
    )
    made["running schedule"] = await account.create(
        "subscription_schedules", **theirs, **phase, start_date="now"
    )
    item = {"amount": 700, "currency": "usd"}
    await account.create("invoiceitems", **theirs, **item)
    made["draft"] = await account.create(
        "invoices", **theirs, auto_advance="true", pending_invoice_items_behavior="include"
    )
    made["pending item"] = await account.create("invoiceitems", **theirs, **item)
    line = {"line_items[0][price]": price}
    made["draft quote"] = await account.create("quotes", **theirs, **line)
    made["open quote"] = await account.create("quotes", **theirs, **line)
    await account.create(f"quotes/{made['open quote']['id']}/finalize")
    made["one-time quote"] = await account.create(
        "quotes", **theirs, **{"line_items[0][price]": once}
    )
    await account.create(f"quotes/{made['one-time quote']['id']}/finalize")
    released = await account.create(
        "subscription_schedules", **theirs, **phase, start_date="now", end_behavior="release"
    )
    await account.create(f"subscription_schedules/{released['id']}/release")
    sent = {"collection_method": "send_invoice", "days_until_due": 5, "auto_advance": "true"}
    made["sent invoice"] = await account.create("invoices", **theirs, **sent)
    await account.create(f"invoices/{made['sent invoice']['id']}/finalize")
    folders = {
        "quote": "quotes",
        "invoice": "invoices",
        "invoiceitem": "invoiceitems",
        "subscription_schedule": "subscription_schedules",
    }
    return {name: f"{folders[each['object']]}/{each['id']}" for name, each in made.items()}


async def _check_ended(account: StripeAccount, customer: str, paths: dict[str, str]) -> None:
    for name, path in paths.items():
        if name == "pending item":
            continue
        found = await account.read(path)
        if found["object"] == "invoice":
            assert not found["auto_advance"], name
        else:
            assert found["status"] == "canceled", name
    assert await account.list("invoiceitems", customer=customer, pending="true") == []
    before = await _count_paid(account, customer)
    await account.control("clock/advance", seconds=40 * _DAY)
    await account.wait_delivered()
    assert await account.list("subscriptions", customer=customer) == []
    assert await _count_paid(account, customer) == before


async def _count_paid(account: StripeAccount, customer: str) -> int:
    return len(await account.list("charges", customer=customer))


async def test_a_users_plans_end(leaving: Leaving) -> None:
    """Schedules, drafts, pending items, quotes and open invoices, besides what runs."""
    user = await leaving.frontend.sign_up()
    customer, _ = await leaving.subscribe(user)
    paths = await _plan_everything(leaving.account, customer)
    await leaving.delete(user)
    await leaving.wait_done(customer)
    await _check_ended(leaving.account, customer, paths)


async def test_an_organizations_plans_end(leaving: Leaving) -> None:
    """The same when its owner deletes the organization."""
    team = await found_team(leaving.frontend, leaving.dashboard)
    customer, _ = await leaving.subscribe(team.owner, organization=team.id)
    paths = await _plan_everything(leaving.account, customer)
    path = f"/api/collections/organizations/records/{team.id}"
    await leaving.frontend.call("DELETE", path, token=team.owner.token)
    await leaving.wait_done(customer)
    await _check_ended(leaving.account, customer, paths)


async def test_more_than_one_page_ends(leaving: Leaving) -> None:
    """Active objects are found behind a hundred ended ones, and among many."""
    user = await leaving.frontend.sign_up()
    customer, _ = await leaving.subscribe(user)
    account = leaving.account
    price = (await account.list("prices", **{"lookup_keys[]": "pro_monthly"}))[0]["id"]
    phase = {"phases[0][items][0][price]": price, "phases[0][duration][interval]": "month"}
    plan = {"customer": customer, **phase, "start_date": 4_000_000_000}
    first = await account.create("subscription_schedules", **plan)
    for _ in range(101):
        made = await account.create("subscription_schedules", **plan)
        await account.create(f"subscription_schedules/{made['id']}/cancel")
        await account.create("invoiceitems", customer=customer, amount=1, currency="usd")
    await leaving.delete(user)
    await leaving.wait_done(customer)
    assert (await account.read(f"subscription_schedules/{first['id']}"))["status"] == "canceled"
    assert await account.list("invoiceitems", customer=customer, pending="true") == []


@pytest.mark.parametrize("status", [503, 400])
async def test_one_that_fails_keeps_none_back(leaving: Leaving, status: int) -> None:
    """The others end at once, and the task goes on until that one has ended too."""
    user = await leaving.frontend.sign_up()
    customer, subscription = await leaving.subscribe(user)
    account = leaving.account
    quote = await account.create(
        "quotes", customer=customer, **{"line_items[0][price]": await _price(account)}
    )
    path = f"/v1/quotes/{quote['id']}/cancel"
    await account.control("faults", method="POST", path=path, status=status, times=1000)
    await leaving.delete(user)

    async def has_ended() -> bool:
        found = await account.read(f"subscriptions/{subscription}")
        return bool(found["status"] == "canceled")

    await eventually(has_ended, within=20)

    def find_reason() -> Awaitable[list[dict[str, Any]]]:
        where = f"key = '{customer}' && status != 'done' && error != ''"
        return leaving.dashboard.list("gateway_work", where)

    await eventually(find_reason, within=20)
    await account.clear_faults()
    await leaving.wait_done(customer)
    assert (await account.read(f"quotes/{quote['id']}"))["status"] == "canceled"


async def _price(account: StripeAccount) -> str:
    return str((await account.list("prices", **{"lookup_keys[]": "pro_monthly"}))[0]["id"])
