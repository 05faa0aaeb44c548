"""Seats that follow the members, where metadata says `seats` = `members`."""

import json
from collections.abc import Callable
from typing import Any

from gateway.dev.stack import Stack
from tests.dashboard import open_dashboard
from tests.database import insert_rows
from tests.deadline import eventually
from tests.http_client import open_client
from tests.problem import read_problem
from tests.shop import Shop, build_order
from tests.stripe_account import StripeAccount
from tests.teams.team import Team, found_team
from tests.teams.test_purchase import buy, offer


async def _wait_for(
    account: StripeAccount, team: Team, quantity: int, price: str | None = None
) -> None:
    """Wait for the quantity of the one item, or of that with a price."""
    [subscription] = await team.dashboard.list("subscriptions", f"organization = '{team.id}'")

    async def is_told() -> bool:
        [row] = await team.dashboard.list("subscriptions", f"organization = '{team.id}'")
        items = [item for item in row["items"] if price in (None, item["price"])]
        return [item["quantity"] for item in items] == [quantity]

    await eventually(is_told, within=20)
    items = await account.list("subscription_items", subscription=subscription["stripe_id"])
    found = [item["quantity"] for item in items if price in (None, item["price"]["id"])]
    assert found == [quantity]


async def test_members_are_seats(team: Team, shop: Shop, account: StripeAccount) -> None:
    """Seats follow the number of members, with a minimum of one."""
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


async def _price(account: StripeAccount, product: str, amount: int, **fields: Any) -> str:
    price = await account.create(
        "prices", product=product, currency="usd", unit_amount=amount, **fields
    )
    return str(price["id"])


async def test_only_what_has_seats_is_paid_by_member(
    team: Team, shop: Shop, account: StripeAccount
) -> None:
    """A setup fee, usage and a flat base of a product with seats are not multiplied by members."""
    made = await account.create("products", name="Team", **{"metadata[seats]": "members"})
    product, monthly = made["id"], {"recurring[interval]": "month"}
    meter = await account.create(
        "billing/meters",
        display_name="Calls",
        event_name=f"calls_{team.id}",
        **{"default_aggregation[formula]": "sum"},
    )
    usage = {"recurring[usage_type]": "metered", "recurring[meter]": meter["id"]}
    seat = await _price(account, product, 1000, **monthly)
    base = await _price(account, product, 5000, **monthly, **{"metadata[seats]": "flat"})
    calls = await _price(account, product, 2, **monthly, **usage)
    fee = await _price(account, product, 9900)
    await account.wait_delivered()
    order = build_order(seat, base, calls, fee, organization=team.id)
    answer = await shop.post("/checkout", team.owner, order)
    assert answer.status_code == 200, answer.text
    items = await account.list(f"checkout/sessions/{answer.json()['id']}/line_items")
    bought = {item["price"]["id"]: item["quantity"] for item in items}
    assert bought == {seat: 3, base: 1, calls: None, fee: 1}

    await shop.pay(answer.json())
    await account.wait_delivered()
    await team.add(await team.frontend.sign_up())
    await _wait_for(account, team, 4, seat)
    [row] = await team.dashboard.list("subscriptions", f"organization = '{team.id}'")
    kept = {item["price"]: item["quantity"] for item in row["items"]}
    assert kept == {seat: 4, base: 1, calls: None}
    assert (await team.dashboard.call("GET", "/api/gateway/seats"))["seats"] == []


async def test_seats_stay_within_what_is_sold(
    team: Team, shop: Shop, account: StripeAccount
) -> None:
    """A team of three pays for the least of four; the fifth and sixth member make it five."""
    bounds = {"checkout_min_quantity": "4", "checkout_max_quantity": "5"}
    price = await offer(account, features="pro", seats="members", **bounds)
    await buy(shop, team, team.owner, price)
    await _wait_for(account, team, 4, price)
    for _ in range(3):
        await team.add(await team.frontend.sign_up())
    await _wait_for(account, team, 5, price)


async def test_a_team_that_is_too_large_is_not_sold_to(
    team: Team, shop: Shop, account: StripeAccount
) -> None:
    """The number of members replaces the requested quantity."""
    price = await offer(account, seats="members", checkout_max_quantity="2")
    order = build_order(price, organization=team.id)
    data = read_problem(await shop.post("/checkout", team.owner, order), 400)["data"]
    assert data["items.0.quantity"]["code"] == "quantity_not_sold"


async def test_seats_are_not_changed_on_stripes_page(
    team: Team, shop: Shop, account: StripeAccount
) -> None:
    """Two lines of a seat price are the members once, and the page can't change them."""
    price = await offer(account, seats="members", checkout_adjustable="true")
    answer = await shop.post(
        "/checkout", team.owner, build_order(price, price, organization=team.id)
    )
    [item] = await account.list(f"checkout/sessions/{answer.json()['id']}/line_items")
    assert (item["quantity"], item["adjustable_quantity"]) == (3, None)


async def test_who_joined_while_the_gateway_was_down(fresh_stack: Callable[..., Stack]) -> None:
    """Members change while it is down; after its start, Stripe gets the new quantity."""
    stack = fresh_stack(GATEWAY_SEAT_SYNC_SECONDS="0.2")
    async with open_client() as http, open_dashboard(stack.pocketbase) as dashboard:
        account, shop = StripeAccount(http, stack.simulator), Shop(http, stack.gateway.url)
        team = await found_team(dashboard.frontend, dashboard)
        await buy(shop, team, team.owner, await offer(account, features="pro", seats="members"))
        await _wait_for(account, team, 3)
        stack.gateway.stop()
        await team.remove(team.member)
        for _ in range(3):
            await team.add(await dashboard.frontend.sign_up())
        stack.gateway.start()
        stack.gateway.wait_healthy()
        await _wait_for(account, team, 5)


def _add_hopeless(stack: Stack, price: str, count: int) -> None:
    """Subscriptions that Stripe does not know, which are looked at before all others."""
    names = [f"{number:015}" for number in range(count)]
    rows = (
        {
            "id": name,
            "stripe_id": f"sub_{name}",
            "organization": f"gone_{name}",
            "status": "active",
            "items": json.dumps([{"id": f"si_{name}", "price": price, "quantity": 9}]),
        }
        for name in names
    )
    insert_rows(stack.pocketbase, "subscriptions", rows)


async def test_many_that_stay_wrong_hide_none(fresh_stack: Callable[..., Stack]) -> None:
    """However many are refused by Stripe again and again, each other one has its turn."""
    stack = fresh_stack(GATEWAY_SEAT_SYNC_SECONDS="0.2")
    async with open_client() as http, open_dashboard(stack.pocketbase) as dashboard:
        account, shop = StripeAccount(http, stack.simulator), Shop(http, stack.gateway.url)
        team = await found_team(dashboard.frontend, dashboard)
        price = await offer(account, features="pro", seats="members")
        await buy(shop, team, team.owner, price)
        await _wait_for(account, team, 3)
        _add_hopeless(stack, price, 120)
        await team.remove(team.member)
        await _wait_for(account, team, 2)
