"""Another plan for an organization that pays by member, while Stripe's quantity lags behind."""

from typing import Any

from tests.billing.subscriber import Subscriber
from tests.deadline import eventually
from tests.frontend import Frontend
from tests.problem import read_problem
from tests.shop import Shop
from tests.stripe_account import StripeAccount
from tests.teams.team import Team
from tests.teams.test_purchase import buy


async def _offer(account: StripeAccount, **metadata: str) -> tuple[str, str]:
    """Offer a product paid by member; returns its monthly and its yearly price."""
    named = {f"metadata[{key}]": value for key, value in metadata.items()}
    product = await account.create("products", **{"name": "Team", "metadata[seats]": "members"})
    names = []
    for interval, amount in (("month", 1_000), ("year", 10_000)):
        terms = {"recurring[interval]": interval, "unit_amount": amount, "currency": "usd"}
        made = await account.create("prices", product=product["id"], **terms, **named)
        names.append(str(made["id"]))
    await account.wait_delivered()
    return names[0], names[1]


async def _buy(team: Team, shop: Shop, account: StripeAccount, price: str) -> Subscriber:
    await buy(shop, team, team.owner, price, wait_for="subscriptions")
    await account.wait_delivered()
    [row] = await team.dashboard.list("subscriptions", f"organization = '{team.id}'")
    return Subscriber(team.owner, row["stripe_id"], shop, account, team.frontend)


async def _wait_for_seats(subscriber: Subscriber, quantity: int) -> None:
    async def is_told() -> bool:
        [item] = (await subscriber.read())["items"]["data"]
        return bool(item["quantity"] == quantity)

    await eventually(is_told, within=20)


async def test_the_year_is_billed_for_the_members_of_now(
    team: Team, shop: Shop, account: StripeAccount
) -> None:
    """A member who left a moment ago is billed neither by the preview nor by the change."""
    month, year = await _offer(account)
    subscriber = await _buy(team, shop, account, month)
    await team.remove(team.member)
    preview = await subscriber.do("preview", price=year)
    changed = await subscriber.do("change", price=year, proration_date=preview["proration_date"])
    assert [item["quantity"] for item in changed["items"]] == [2]
    lines = (await subscriber.list_invoices())[0]["lines"]["data"]
    assert 20_000 in [line["amount"] for line in lines]
    assert 20_000 in [line["amount"] for line in preview["lines"]]


async def test_a_price_that_is_not_sold_to_so_many_is_refused(
    team: Team, shop: Shop, account: StripeAccount
) -> None:
    """Members count against the most that is sold, as a quantity does that a client names."""
    month, _ = await _offer(account)
    _, small = await _offer(account, checkout_max_quantity="2")
    subscriber = await _buy(team, shop, account, month)
    answer = await subscriber.ask("change", price=small)
    assert read_problem(answer, 400)["data"]["quantity"]["code"] == "quantity_not_sold"


async def test_members_follow_a_planned_change(
    team: Team, shop: Shop, account: StripeAccount, frontend: Frontend
) -> None:
    """A member who joins before the period ends is billed now and in the next period."""
    month, year = await _offer(account)
    subscriber = await _buy(team, shop, account, month)
    await subscriber.do("change", price=year, when="period_end")
    await team.add(await frontend.sign_up())
    await _wait_for_seats(subscriber, 4)
    await account.wait_delivered()
    await account.control(f"subscriptions/{subscriber.id}/renew")
    await account.wait_delivered()
    [item] = (await subscriber.read())["items"]["data"]
    assert (item["price"]["id"], item["quantity"]) == (year, 4)
    lines = (await subscriber.list_invoices())[0]["lines"]["data"]
    assert 40_000 in [line["amount"] for line in lines]


async def test_seats_wait_where_nothing_may_change(
    team: Team, shop: Shop, account: StripeAccount
) -> None:
    """Under a schedule of the seller's, or a pause without service, they are told afterwards."""
    month, _ = await _offer(account)
    subscriber = await _buy(team, shop, account, month)
    path = f"subscriptions/{subscriber.id}"

    async def is_listed() -> bool:
        await account.wait_delivered()
        answer: dict[str, Any] = await team.dashboard.call("GET", "/api/gateway/seats")
        [item] = (await subscriber.read())["items"]["data"]
        return item["id"] in [seats["item"] for seats in answer["seats"]]

    await account.create(path, **{"pause_collection[behavior]": "void"})
    await account.wait_delivered()
    await team.remove(team.member)
    assert not await is_listed()
    schedule = await account.create("subscription_schedules", from_subscription=subscriber.id)
    await account.create(path, pause_collection="")
    assert not await is_listed()
    await account.create(f"subscription_schedules/{schedule['id']}/release")
    await _wait_for_seats(subscriber, 2)
