"""Entitlements of subscriptions, and their ends."""

from typing import Any

import pytest

from tests.entitlements.purchases import DAY, LEEWAY, Purchases, write_time
from tests.stripe_account import StripeAccount

FOREVER = "9999-12-31 23:59:59.999Z"


@pytest.mark.parametrize("status", ["active", "trialing"])
async def test_a_running_subscription_entitles(purchases: Purchases, status: str) -> None:
    """Its features are active until the period's end, and a day for the renewal's webhook."""
    product = await purchases.add_product(features="pro, export")
    subscription = await purchases.subscribe(product, status=status)
    rows = await purchases.read()
    assert set(rows) == {"pro", "export"}
    for row in rows.values():
        assert row["active"] is True
        assert row["active_until"] == write_time(purchases.end + LEEWAY)
        assert row["sources"] == [subscription["id"]]
        assert row["limit"] == 0


@pytest.mark.parametrize(
    "status", ["incomplete", "incomplete_expired", "unpaid", "paused", "canceled", "invented"]
)
async def test_other_statuses_entitle_to_nothing(purchases: Purchases, status: str) -> None:
    """The row is there and not active, so that a subscriber sees it end."""
    product = await purchases.add_product(features="pro")
    subscription = await purchases.subscribe(product)
    assert await purchases.read_end()
    changed = subscription | {"status": status}
    await purchases.tell("customer.subscription.updated", changed, purchases.now + 1)
    row = (await purchases.read())["pro"]
    assert (row["active"], row["active_until"], row["sources"]) == (False, "", [])


@pytest.mark.parametrize(
    ("behavior", "entitles"),
    [("void", False), ("keep_as_draft", True), ("mark_uncollectible", True)],
)
async def test_a_pause(purchases: Purchases, behavior: str, entitles: bool) -> None:
    """Paused with `void` means no service; the other pauses give it without payment."""
    product = await purchases.add_product(features="pro")
    await purchases.subscribe(product, pause_collection={"behavior": behavior, "resumes_at": None})
    assert bool(await purchases.read_end()) is entitles


async def test_a_pause_leaves_a_paid_period(purchases: Purchases) -> None:
    """Paused with `void`, a paid period lasts to its end without leeway; the next one is none."""
    product = await purchases.add_product(features="pro")
    subscription = await purchases.subscribe(product)
    invoice = {
        "id": f"in_hand{purchases.user}",
        "object": "invoice",
        "customer": purchases.customer["id"],
        "subscription": subscription["id"],
        "status": "paid",
        "billing_reason": "manual",
        "created": purchases.now,
    }
    await purchases.tell("invoice.paid", invoice)
    pause = {"behavior": "void", "resumes_at": None}
    paused = subscription | {"pause_collection": pause}
    await purchases.tell("customer.subscription.updated", paused, purchases.now + 1)
    assert not await purchases.read_end()
    first = invoice | {"id": f"in_first{purchases.user}", "billing_reason": "subscription_create"}
    await purchases.tell("invoice.paid", first)
    assert await purchases.read_end() == write_time(purchases.end)
    [item] = paused["items"]["data"]
    item |= {"current_period_start": purchases.end, "current_period_end": purchases.end + 30 * DAY}
    await purchases.tell("customer.subscription.updated", paused, purchases.now + 2)
    assert not await purchases.read_end()


@pytest.mark.parametrize(
    "members",
    [{"cancel_at": True}, {"cancel_at_period_end": True}],
    ids=["cancel_at", "cancel_at_period_end"],
)
async def test_an_announced_end_is_the_end(purchases: Purchases, members: dict[str, Any]) -> None:
    """A subscription that will not be renewed gets no leeway."""
    product = await purchases.add_product(features="pro")
    members = {
        name: purchases.end if name == "cancel_at" else value for name, value in members.items()
    }
    await purchases.subscribe(product, **members)
    assert await purchases.read_end() == write_time(purchases.end)


async def test_an_end_after_the_next_renewal_comes_later(purchases: Purchases) -> None:
    """Until the renewal is paid, the features end with the period."""
    product = await purchases.add_product(features="pro")
    await purchases.subscribe(product, cancel_at=purchases.end + 90 * DAY)
    assert await purchases.read_end() == write_time(purchases.end + LEEWAY)


async def test_an_unpaid_renewal_has_days_of_grace(purchases: Purchases) -> None:
    """A past_due subscription entitles for a week from when its open invoice was due."""
    product = await purchases.add_product(features="pro")
    subscription = await purchases.subscribe(product, status="past_due")
    assert await purchases.read_end() == write_time(purchases.now + 7 * DAY)
    invoice = {
        "id": "in_grace",
        "object": "invoice",
        "customer": purchases.customer["id"],
        "subscription": subscription["id"],
        "status": "open",
        "created": purchases.now + 3 * DAY,
    }
    await purchases.tell("invoice.created", invoice)
    assert await purchases.read_end() == write_time(purchases.now + 10 * DAY)
    await purchases.tell("invoice.paid", invoice | {"status": "paid"}, purchases.now + 1)
    paid = subscription | {"status": "active"}
    await purchases.tell("customer.subscription.updated", paid, purchases.now + 1)
    assert await purchases.read_end() == write_time(purchases.end + LEEWAY)


async def test_several_subscriptions(purchases: Purchases) -> None:
    """The last end counts, limits add up, and what names no limit knows none."""
    small = await purchases.add_product(limit_seats="2", features="pro")
    large = await purchases.add_product(limit_seats="10.5")
    first = await purchases.subscribe(small, quantity=3)
    purchases.end += 30 * DAY
    second = await purchases.subscribe(large)
    seats = (await purchases.read())["seats"]
    assert seats["limit"] == 16.5
    assert seats["active_until"] == write_time(purchases.end + LEEWAY)
    assert seats["sources"] == sorted([first["id"], second["id"]])
    await purchases.subscribe(await purchases.add_product(features="seats"))
    assert (await purchases.read())["seats"]["limit"] == 0


@pytest.mark.parametrize(("quantity", "limit"), [(None, 5), (0, None), (4, 20)])
async def test_quantity(purchases: Purchases, quantity: int | None, limit: int | None) -> None:
    """A limit is one unit's; a metered item counts as one unit, none of an item is nothing."""
    product = await purchases.add_product(limit_seats="5")
    await purchases.subscribe(product, quantity=quantity)
    row = (await purchases.read())["seats"]
    assert (row["limit"] if row["active"] else None) == limit


@pytest.mark.parametrize("text", ["0", "-3", "many", ""])
async def test_a_limit_is_a_number_above_zero(purchases: Purchases, text: str) -> None:
    """Anything else names the feature, and no limit."""
    await purchases.subscribe(await purchases.add_product(limit_seats=text))
    assert [row["limit"] for row in (await purchases.read()).values()] in ([0], [])


async def test_a_period_that_is_not_known_has_no_end(purchases: Purchases) -> None:
    """An active subscription without a period entitles until Stripe says otherwise."""
    product = await purchases.add_product(features="pro")
    subscription = purchases.build_subscription(product)
    for item in subscription["items"]["data"]:
        del item["current_period_end"]
    await purchases.tell("customer.subscription.created", subscription)
    assert await purchases.read_end() == FOREVER


async def test_a_product_that_comes_late(purchases: Purchases) -> None:
    """A change of a product's features reaches its existing buyers."""
    product = purchases.build_product("prod_late" + purchases.user, features="pro")
    await purchases.subscribe(product["id"])
    assert await purchases.read() == {}
    await purchases.tell("product.created", product)
    assert list(await purchases.read()) == ["pro"]
    other = product | {"metadata": {"features": "export"}}
    await purchases.tell("product.updated", other, purchases.now + 1)
    assert list(await purchases.read()) == ["export"]


async def test_a_price_goes_before_its_product(purchases: Purchases) -> None:
    """A price's metadata replaces its product's key by key, also when it comes late."""
    product = await purchases.add_product(features="pro", limit_seats="1")
    subscription = await purchases.subscribe(product)
    assert (await purchases.read())["seats"]["limit"] == 1
    price = {
        "id": subscription["items"]["data"][0]["price"]["id"],
        "object": "price",
        "product": product,
        "type": "recurring",
        "metadata": {"limit_seats": "8"},
    }
    await purchases.tell("price.created", price)
    rows = await purchases.read()
    assert (set(rows), rows["seats"]["limit"]) == ({"pro", "seats"}, 8)


async def test_stripe_entitlements(purchases: Purchases) -> None:
    """Features that Stripe lists last as long as the subscription; metadata limits them."""
    product = await purchases.add_product(limit_seats="4")
    subscription = await purchases.subscribe(product)
    keys = [{"lookup_key": key, "feature": f"feat_{key}"} for key in ("sso", "seats")]
    summary = {
        "object": "entitlements.active_entitlement_summary",
        "customer": purchases.customer["id"],
        "entitlements": {"object": "list", "data": keys, "has_more": False},
    }
    name = "entitlements.active_entitlement_summary.updated"
    await purchases.tell(name, summary)
    rows = await purchases.read()
    assert {key: row["limit"] for key, row in rows.items()} == {"sso": 0, "seats": 4}
    assert rows["sso"]["active_until"] == write_time(purchases.end + LEEWAY)
    assert rows["sso"]["sources"] == [subscription["id"]]
    empty = summary | {"entitlements": {"object": "list", "data": [], "has_more": False}}
    await purchases.tell(name, empty, purchases.now + 1)
    assert list(await purchases.read()) == ["seats"]


async def test_more_features_than_an_event_shows(
    purchases: Purchases, account: StripeAccount
) -> None:
    """If an event has a truncated list, the whole list is read from Stripe."""
    product = await account.create("products", name="Everything")
    for place in range(101):
        key = f"many_{purchases.user}_{place}"
        feature = await account.create("entitlements/features", name=key, lookup_key=key)
        path = f"products/{product['id']}/features"
        await account.create(path, entitlement_feature=feature["id"])
    price = await account.create(
        "prices",
        product=product["id"],
        currency="usd",
        unit_amount=100,
        **{"recurring[interval]": "month"},
    )
    customer = await account.create("customers", **{"metadata[pocketbase_user]": purchases.user})
    await account.create(
        "subscriptions",
        customer=customer["id"],
        collection_method="send_invoice",
        days_until_due=7,
        **{"items[0][price]": price["id"]},
    )
    await account.wait_delivered()
    assert len(await purchases.read()) == 101


async def test_nothing_is_written_when_nothing_changes(purchases: Purchases) -> None:
    """A realtime subscriber gets only changed rows."""
    product = await purchases.add_product(features="pro")
    subscription = await purchases.subscribe(product)
    frontend, token = purchases.dashboard.frontend, purchases.dashboard.token
    async with frontend.subscribe("entitlements/*", token=token) as feed:
        same = subscription | {"metadata": {"note": "x"}}
        await purchases.tell("customer.subscription.updated", same, purchases.now + 1)
        ended = subscription | {"status": "canceled"}
        await purchases.tell("customer.subscription.deleted", ended, purchases.now + 2)
        mine = await feed.next(lambda change: change.record["user"] == purchases.user)
        assert (mine.action, mine.record["active"]) == ("update", False)


async def test_a_deleted_user_leaves_no_entitlement(purchases: Purchases) -> None:
    """The rows go with the user."""
    await purchases.subscribe(await purchases.add_product(features="pro"))
    [row] = (await purchases.read()).values()
    await purchases.dashboard.call("DELETE", f"/api/collections/users/records/{purchases.user}")
    assert await purchases.dashboard.count("entitlements", f"id = '{row['id']}'") == 0
