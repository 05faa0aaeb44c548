"""The deletion of a user at Stripe does not touch other users' purchases."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from secrets import token_hex

import httpx
import pytest_asyncio

from gateway.dev.stack import Stack
from tests.dashboard import Dashboard, open_dashboard
from tests.frontend import Frontend, Record, User
from tests.shop import Shop, build_order
from tests.stripe_account import StripeAccount
from tests.teams.team import found_team

_USERS = "/api/collections/users/records"


@dataclass(frozen=True)
class Site:
    """A separate stack with a gateway that tests may stop."""

    stack: Stack
    frontend: Frontend
    dashboard: Dashboard
    account: StripeAccount
    shop: Shop

    async def subscribe(self, user: User) -> str:
        """Buy, and return the subscription."""
        session = await self.shop.check_out(user, "pro_monthly")
        await self.shop.pay(session)
        await self.account.wait_delivered()
        paid = await self.account.read(f"checkout/sessions/{session['id']}")
        return str(paid["subscription"])

    async def verify(self, user: User) -> None:
        """Verify a user's address in PocketBase."""
        await self.dashboard.call("PATCH", f"{_USERS}/{user.id}", {"verified": True})

    async def sign_up_again(self, user: User) -> User:
        """Delete a user, and sign up with the same address, which PocketBase verifies."""
        await self.frontend.call("DELETE", f"{_USERS}/{user.id}", token=user.token)
        again = await self.frontend.sign_up(user.email)
        await self.verify(again)
        return again

    async def read_status(self, subscription: str) -> str:
        """Return a subscription's status at Stripe."""
        return str((await self.account.read(f"subscriptions/{subscription}"))["status"])

    async def find_owner(self, customer: str) -> str:
        """Return the owner of a customer in PocketBase."""
        row = await self.dashboard.find("customers", customer)
        assert row
        return str(row["user"])

    async def wait_forgotten(self, customer: str) -> Record:
        """Wait until the deletion of a customer is done; return its record."""
        where = f"kind = 'deleted' && customer = '{customer}'"
        return await self.dashboard.wait_payer_change(where)


@pytest_asyncio.fixture
async def site(fresh_stack: Callable[..., Stack], http: httpx.AsyncClient) -> AsyncIterator[Site]:
    """A separate stack with the mirrored catalogue."""
    stack = fresh_stack()
    account, shop = StripeAccount(http, stack.simulator), Shop(http, stack.gateway.url)
    await account.wait_delivered()
    async with open_dashboard(stack.pocketbase) as dashboard:
        yield Site(stack, dashboard.frontend, dashboard, account, shop)


async def test_who_comes_back_loses_nothing(site: Site) -> None:
    """A new account's purchases with the same address don't end with the former account's.

    Remaining purchases are the new account's, because the former had verified the address too.
    """
    user = await site.frontend.sign_up()
    await site.verify(user)
    former = await site.subscribe(user)
    customer = str((await site.account.read(f"subscriptions/{former}"))["customer"])
    fault = {"path": f"/v1/subscriptions/{former}", "method": "DELETE", "status": 503, "times": 3}
    await site.account.control("faults", **fault)
    again = await site.sign_up_again(user)
    assert await site.find_owner(customer) == ""
    # Stripe tells of the customer meanwhile, and that it has the address.
    await site.account.create(f"customers/{customer}", description="Changed")
    await site.account.wait_delivered()
    assert await site.find_owner(customer) == ""
    bought = await site.subscribe(again)
    task = await site.wait_forgotten(customer)
    assert task["outcome"] == "canceled"
    assert await site.read_status(former) == "canceled"
    assert await site.read_status(bought) == "active"
    assert await site.find_owner(customer) == again.id
    [used] = await site.frontend.list_records(
        "customers", token=again.token, filter="primary = true"
    )
    assert used["stripe_id"] != customer


async def test_a_customer_made_meanwhile_is_forgotten_too(site: Site) -> None:
    """Stripe made it while the user was deleted: it goes like the others, by the same setting."""
    user = await site.frontend.sign_up()
    await site.verify(user)
    again = await site.sign_up_again(user)
    fields = {"email": user.email, "metadata[pocketbase_user]": user.id}
    late = await site.account.create("customers", **fields)
    task = await site.wait_forgotten(late["id"])
    assert (task["payer"], task["outcome"]) == (user.id, "canceled")
    assert await site.find_owner(late["id"]) == again.id
    await site.account.create(f"customers/{late['id']}", description="Changed")
    await site.account.wait_delivered()
    assert await site.dashboard.count("gateway_payer_changes", f"customer = '{late['id']}'") == 1


async def test_a_strangers_purchases_stay_a_strangers(site: Site) -> None:
    """Verifying an address shows nothing of an account that used it without verifying it."""
    stranger = await site.frontend.sign_up()
    subscription = await site.subscribe(stranger)
    customer = str((await site.account.read(f"subscriptions/{subscription}"))["customer"])
    owner = await site.sign_up_again(stranger)
    assert (await site.wait_forgotten(customer))["outcome"] == "canceled"
    late = await site.account.create(
        "customers", email=stranger.email, **{"metadata[pocketbase_user]": stranger.id}
    )
    await site.wait_forgotten(late["id"])
    for each in (customer, late["id"]):
        await site.account.create(f"customers/{each}", description="Changed")
        await site.account.wait_delivered()
        assert await site.find_owner(each) == ""
    for collection in ("customers", "subscriptions", "invoices", "charges", "payment_methods"):
        assert await site.frontend.list_records(collection, token=owner.token) == []
    bought = await site.subscribe(owner)
    assert await site.read_status(bought) == "active"


async def test_a_case_variant_sees_nothing_of_a_strangers(site: Site) -> None:
    """The owner's own account was there all the time: it gets nothing when the stranger's goes."""
    owner = await site.frontend.sign_up(f"owner-{token_hex(4)}@example.com")
    await site.verify(owner)
    stranger = await site.frontend.sign_up(owner.email.title())
    subscription = await site.subscribe(stranger)
    customer = str((await site.account.read(f"subscriptions/{subscription}"))["customer"])
    assert await site.find_owner(customer) == stranger.id
    await site.frontend.call("DELETE", f"{_USERS}/{stranger.id}", token=stranger.token)
    await site.wait_forgotten(customer)
    await site.account.create(f"customers/{customer}", description="Changed")
    await site.account.wait_delivered()
    assert await site.find_owner(customer) == ""


async def test_a_customer_of_somewhere_else_is_left_alone(site: Site) -> None:
    """A customer that names no user of this PocketBase stays: another one may have the account."""
    fields = {"metadata[pocketbase_user]": "elsewhereuser01"}
    foreign = await site.account.create("customers", **fields)
    await site.account.wait_delivered()
    assert await site.dashboard.find("customers", foreign["id"])
    assert await site.dashboard.count("gateway_payer_changes") == 0


async def test_an_organization_is_forgotten_like_a_user(site: Site) -> None:
    """A superuser deletes it: its subscription ends at Stripe, with a record of that."""
    team = await found_team(site.frontend, site.dashboard)
    order = build_order("pro_monthly", organization=team.id)
    answer = await site.shop.post("/checkout", team.owner, order)
    session = answer.raise_for_status().json()
    await site.shop.pay(session)
    await site.account.wait_delivered()
    paid = await site.account.read(f"checkout/sessions/{session['id']}")
    await site.dashboard.call("DELETE", f"/api/collections/organizations/records/{team.id}")
    task = await site.wait_forgotten(paid["customer"])
    assert (task["payer"], task["outcome"]) == (f"organizations/{team.id}", "canceled")
    assert await site.read_status(paid["subscription"]) == "canceled"


async def _delete_after_trial(site: Site, email: str) -> None:
    password = {"password": "correct-horse", "passwordConfirm": "correct-horse"}
    body = {"email": email, "verified": bool(email), **password}
    user = await site.dashboard.call("POST", _USERS, body)
    row = {"stripe_id": f"sub_{user['id']}", "user": user["id"]}
    row["trial_end"] = "2026-01-01 00:00:00.000Z"
    await site.dashboard.call("POST", "/api/collections/subscriptions/records", row)
    await site.dashboard.call("DELETE", f"{_USERS}/{user['id']}")


async def test_a_trial_is_kept_by_an_address_only(site: Site) -> None:
    """A deleted user's address gets no second trial; a user without an address uses up no trial."""
    users = await site.dashboard.call("GET", "/api/collections/users")
    for field in users["fields"]:
        if field["name"] == "email":
            field["required"] = False
    await site.dashboard.call("PATCH", "/api/collections/users", {"fields": users["fields"]})
    await _delete_after_trial(site, "")
    assert await site.dashboard.count("gateway_trials") == 0
    await _delete_after_trial(site, "gone@example.com")
    assert await site.dashboard.count("gateway_trials") == 1
