"""Seats that follow the members, where metadata says `seats` = `members`."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing

from stack.stack import Stack
from tests.dashboard import Dashboard
from tests.deadline import eventually
from tests.frontend import Frontend
from tests.http_client import open_client
from tests.shop import Shop
from tests.stripe_account import StripeAccount
from tests.teams.team import Team, found_team
from tests.teams.test_purchase import buy, offer


async def _wait_for(account: StripeAccount, team: Team, quantity: int) -> None:
    [subscription] = await team.dashboard.list("subscriptions", f"organization = '{team.id}'")

    async def is_told() -> bool:
        [row] = await team.dashboard.list("subscriptions", f"organization = '{team.id}'")
        return bool(row["quantity"] == quantity)

    await eventually(is_told, within=20)
    [item] = await account.list("subscription_items", subscription=subscription["stripe_id"])
    assert item["quantity"] == quantity


async def test_members_are_seats(team: Team, shop: Shop, account: StripeAccount) -> None:
    """Who joins is paid for, who leaves is not, and there is always one seat."""
    await buy(shop, team, team.owner, await offer(account, features="pro", seats="members"))
    await _wait_for(account, team, 3)
    guest = await team.frontend.sign_up()
    await team.add(guest)
    await _wait_for(account, team, 4)
    await team.remove(guest)
    await _wait_for(account, team, 3)


async def test_without_the_setting_the_quantity_stays(
    team: Team, shop: Shop, account: StripeAccount
) -> None:
    """A plan that is not paid by seat costs the same for any number of members."""
    await buy(shop, team, team.owner, await offer(account, features="pro"))
    wrong = await team.dashboard.call("GET", "/api/gateway/seats")
    assert wrong == {"seats": [], "next": ""}


async def test_who_joined_while_the_gateway_was_down(fresh_stack: Callable[..., Stack]) -> None:
    """Members come and go without it; when it is back, Stripe learns how many there are."""
    stack = fresh_stack(GATEWAY_SEATS_SECONDS="0.2")
    part = stack.pocketbase
    async with open_client() as http, Frontend(part.url) as frontend:
        root = await frontend.log_in(part.superuser_email, part.superuser_password, "_superusers")
        account, shop = StripeAccount(http, stack.simulator), Shop(http, stack.gateway.url)
        team = await found_team(frontend, Dashboard(frontend, root))
        await buy(shop, team, team.owner, await offer(account, features="pro", seats="members"))
        await _wait_for(account, team, 3)
        stack.gateway.stop()
        await team.remove(team.member)
        for _ in range(3):
            await team.add(await frontend.sign_up())
        stack.gateway.start()
        stack.gateway.wait_healthy()
        await _wait_for(account, team, 5)


def _add_hopeless(stack: Stack, price: str, count: int) -> None:
    """Subscriptions that Stripe does not know, which are looked at before all others."""
    with closing(sqlite3.connect(stack.pocketbase.data_dir / "data.db", timeout=10)) as database:
        for number in range(count):
            name = f"{number:015}"
            items = json.dumps([{"id": f"si_{name}", "price": price, "quantity": 9}])
            row = (name, f"sub_{name}", f"gone_{name}", "active", items)
            names = "id, stripe_id, organization, status, items"
            insert = f"INSERT INTO subscriptions ({names}) VALUES (?, ?, ?, ?, ?)"  # noqa: S608
            database.execute(insert, row)
        database.commit()


async def test_many_that_stay_wrong_hide_none(fresh_stack: Callable[..., Stack]) -> None:
    """However many are refused by Stripe again and again, each other one has its turn."""
    stack = fresh_stack(GATEWAY_SEATS_SECONDS="0.2")
    part = stack.pocketbase
    async with open_client() as http, Frontend(part.url) as frontend:
        root = await frontend.log_in(part.superuser_email, part.superuser_password, "_superusers")
        account, shop = StripeAccount(http, stack.simulator), Shop(http, stack.gateway.url)
        team = await found_team(frontend, Dashboard(frontend, root))
        price = await offer(account, features="pro", seats="members")
        await buy(shop, team, team.owner, price)
        await _wait_for(account, team, 3)
        _add_hopeless(stack, price, 120)
        await team.remove(team.member)
        await _wait_for(account, team, 2)
