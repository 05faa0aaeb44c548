"""A rule of PocketBase alone keeps what was not paid for: the example project."""

import time
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from gateway.dev.plan import plan_throwaway
from gateway.dev.pocketbase import ROOT
from gateway.dev.stack import Stack
from tests.deadline import eventually
from tests.delivery import Sender, build_customer, build_event, build_subscription
from tests.frontend import Frontend, User
from tests.http_client import open_client
from tests.shop import Shop
from tests.stripe_account import StripeAccount

_EXAMPLE = ROOT / "examples" / "pb_migrations"


@pytest.fixture(scope="module")
def shop_with_reports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Running parts with the example's collection."""
    plan = plan_throwaway(tmp_path_factory.mktemp("reports"))
    with Stack(replace(plan, migrations=(_EXAMPLE,))) as stack:
        yield stack


async def _write(frontend: Frontend, user: User) -> int:
    """Write a report as the user; return the status."""
    path = "/api/collections/reports/records"
    body = {"author": user.id, "title": "Numbers"}
    answer = await frontend.http.post(path, json=body, headers={"Authorization": user.token})
    return answer.status_code


async def _offer(account: StripeAccount) -> str:
    product = await account.create("products", **{"name": "Pro", "metadata[features]": "pro"})
    recurring = {"recurring[interval]": "month", "unit_amount": 900, "currency": "usd"}
    price = await account.create("prices", product=product["id"], **recurring)
    await account.wait_delivered()
    return str(price["id"])


async def test_gated_by_a_rule_alone(shop_with_reports: Stack) -> None:
    """Refused before the purchase, allowed once the row has arrived live, refused after the end."""
    stack = shop_with_reports
    async with open_client() as http, Frontend(stack.pocketbase.url) as frontend:
        account, shop = StripeAccount(http, stack.simulator), Shop(http, stack.gateway.url)
        price = await _offer(account)
        user, other = await frontend.sign_up(), await frontend.sign_up()
        assert await _write(frontend, user) == 400

        async with frontend.subscribe("entitlements/*", token=user.token) as feed:
            await shop.pay(await shop.check_out(user, price))
            bought = await feed.next(lambda change: change.record["active"])
            assert bought.record["feature"] == "pro"
            assert await _write(frontend, user) == 200
            assert await _write(frontend, other) == 400

            [subscription] = await account.list("subscriptions")
            await account.delete(f"subscriptions/{subscription['id']}")
            await feed.next(lambda change: not change.record["active"])
            assert await _write(frontend, user) == 400
        theirs = await frontend.list_records("reports", token=user.token)
        assert [report["title"] for report in theirs] == ["Numbers"]


async def test_the_end_needs_no_webhook(shop_with_reports: Stack) -> None:
    """The second that a row names is the last: nothing is delivered, and nothing is written."""
    stack = shop_with_reports
    async with open_client() as http, Frontend(stack.pocketbase.url) as frontend:
        user = await frontend.sign_up()
        sender = Sender(http, stack.gateway.url, stack.plan.stripe.webhook_secrets[0])
        await _sell_until(sender, user, int(time.time()) + 3)
        assert await _write(frontend, user) == 200

        async def is_refused() -> bool:
            return await _write(frontend, user) == 400

        await eventually(is_refused)
        [row] = await frontend.list_records("entitlements", token=user.token)
        assert row["active"] is True


async def _sell_until(sender: Sender, user: User, end: int) -> None:
    customer = build_customer(user.id)
    product = {"id": "prod_gate", "object": "product", "metadata": {"features": "pro"}}
    item = {"id": "si_1", "price": {"id": "price_1", "product": "prod_gate"}, "quantity": 1}
    items = {"data": [item | {"current_period_end": end}]}
    subscription = build_subscription(customer["id"], items=items, cancel_at=end)
    for type, thing in (
        ("product.created", product),
        ("customer.created", customer),
        ("customer.subscription.created", subscription),
    ):
        answer = await sender.send(build_event(type, thing))
        assert answer.status_code == 200, answer.text


def test_a_guest_writes_nothing(shop_with_reports: Stack) -> None:
    """Without an account there is nothing to compare with."""
    url = f"{shop_with_reports.pocketbase.url}/api/collections/reports/records"
    answer = httpx.post(url, json={"author": "", "title": "x"}, trust_env=False)
    assert answer.status_code == 400
