"""What a subscription entitles to, and until when."""

from typing import Any

import pytest

from tests.entitlements.till import DAY, LEEWAY, Till, write_time
from tests.stripe_account import StripeAccount

FOREVER = "9999-12-31 23:59:59.999Z"


@pytest.mark.parametrize("status", ["active", "trialing"])
async def test_a_running_subscription_entitles(till: Till, status: str) -> None:
    """Its features are active until the period's end, and a day for the renewal's webhook."""
    product = await till.add_product(features="pro, export")
    subscription = await till.subscribe(product, status=status)
    rows = await till.read()
    assert set(rows) == {"pro", "export"}
    for row in rows.values():
        assert row["active"] is True
        assert row["active_until"] == write_time(till.end + LEEWAY)
        assert row["sources"] == [subscription["id"]]
        assert row["limit"] == 0


@pytest.mark.parametrize(
    "status", ["incomplete", "incomplete_expired", "unpaid", "paused", "canceled", "invented"]
)
async def test_other_statuses_entitle_to_nothing(till: Till, status: str) -> None:
    """The row is there and not active, so that a subscriber sees it end."""
    product = await till.add_product(features="pro")
    subscription = await till.subscribe(product)
    assert await till.read_end()
    changed = subscription | {"status": status}
    await till.tell("customer.subscription.updated", changed, till.now + 1)
    row = (await till.read())["pro"]
    assert (row["active"], row["active_until"], row["sources"]) == (False, "", [])


@pytest.mark.parametrize(
    ("behavior", "entitles"),
    [("void", False), ("keep_as_draft", True), ("mark_uncollectible", True)],
)
async def test_a_pause(till: Till, behavior: str, entitles: bool) -> None:
    """Paused with `void` means no service; the other pauses give it without payment."""
    product = await till.add_product(features="pro")
    await till.subscribe(product, pause_collection={"behavior": behavior, "resumes_at": None})
    assert bool(await till.read_end()) is entitles


async def test_a_pause_leaves_a_paid_period(till: Till) -> None:
    """Paused with `void`, a paid period lasts to its end without leeway; the next one is none."""
    product = await till.add_product(features="pro")
    subscription = await till.subscribe(product)
    invoice = {
        "id": f"in_hand{till.user}",
        "object": "invoice",
        "customer": till.customer["id"],
        "subscription": subscription["id"],
        "status": "paid",
        "billing_reason": "manual",
        "created": till.now,
    }
    await till.tell("invoice.paid", invoice)
    pause = {"behavior": "void", "resumes_at": None}
    paused = subscription | {"pause_collection": pause}
    await till.tell("customer.subscription.updated", paused, till.now + 1)
    assert not await till.read_end()
    first = invoice | {"id": f"in_first{till.user}", "billing_reason": "subscription_create"}
    await till.tell("invoice.paid", first)
    assert await till.read_end() == write_time(till.end)
    [item] = paused["items"]["data"]
    item |= {"current_period_start": till.end, "current_period_end": till.end + 30 * DAY}
    await till.tell("customer.subscription.updated", paused, till.now + 2)
    assert not await till.read_end()


@pytest.mark.parametrize(
    "members",
    [{"cancel_at": True}, {"cancel_at_period_end": True}],
    ids=["cancel_at", "cancel_at_period_end"],
)
async def test_an_announced_end_is_the_end(till: Till, members: dict[str, Any]) -> None:
    """A subscription that will not be renewed gets no leeway."""
    product = await till.add_product(features="pro")
    members = {name: till.end if name == "cancel_at" else value for name, value in members.items()}
    await till.subscribe(product, **members)
    assert await till.read_end() == write_time(till.end)


async def test_an_end_after_the_next_renewal_comes_later(till: Till) -> None:
    """Until the renewal is paid, the features end with the period."""
    product = await till.add_product(features="pro")
    await till.subscribe(product, cancel_at=till.end + 90 * DAY)
    assert await till.read_end() == write_time(till.end + LEEWAY)


async def test_an_unpaid_renewal_has_days_of_grace(till: Till) -> None:
    """A past_due subscription entitles for a week from when its open invoice was due."""
    product = await till.add_product(features="pro")
    subscription = await till.subscribe(product, status="past_due")
    assert await till.read_end() == write_time(till.now + 7 * DAY)
    invoice = {
        "id": "in_grace",
        "object": "invoice",
        "customer": till.customer["id"],
        "subscription": subscription["id"],
        "status": "open",
        "created": till.now + 3 * DAY,
    }
    await till.tell("invoice.created", invoice)
    assert await till.read_end() == write_time(till.now + 10 * DAY)
    await till.tell("invoice.paid", invoice | {"status": "paid"}, till.now + 1)
    paid = subscription | {"status": "active"}
    await till.tell("customer.subscription.updated", paid, till.now + 1)
    assert await till.read_end() == write_time(till.end + LEEWAY)


async def test_several_subscriptions(till: Till) -> None:
    """The last end counts, limits add up, and what names no limit knows none."""
    small = await till.add_product(limit_seats="2", features="pro")
    large = await till.add_product(limit_seats="10.5")
    first = await till.subscribe(small, quantity=3)
    till.end += 30 * DAY
    second = await till.subscribe(large)
    seats = (await till.read())["seats"]
    assert seats["limit"] == 16.5
    assert seats["active_until"] == write_time(till.end + LEEWAY)
    assert seats["sources"] == sorted([first["id"], second["id"]])
    await till.subscribe(await till.add_product(features="seats"))
    assert (await till.read())["seats"]["limit"] == 0


@pytest.mark.parametrize(("quantity", "limit"), [(None, 5), (0, None), (4, 20)])
async def test_quantity(till: Till, quantity: int | None, limit: int | None) -> None:
    """A limit is one unit's; a metered item counts as one unit, none of an item is nothing."""
    product = await till.add_product(limit_seats="5")
    await till.subscribe(product, quantity=quantity)
    row = (await till.read())["seats"]
    assert (row["limit"] if row["active"] else None) == limit


@pytest.mark.parametrize("text", ["0", "-3", "many", ""])
async def test_a_limit_is_a_number_above_zero(till: Till, text: str) -> None:
    """Anything else names the feature, and no limit."""
    await till.subscribe(await till.add_product(limit_seats=text))
    assert [row["limit"] for row in (await till.read()).values()] in ([0], [])


async def test_a_period_that_is_not_known_has_no_end(till: Till) -> None:
    """An active subscription without a period entitles until Stripe says otherwise."""
    product = await till.add_product(features="pro")
    subscription = till.build_subscription(product)
    for item in subscription["items"]["data"]:
        del item["current_period_end"]
    await till.tell("customer.subscription.created", subscription)
    assert await till.read_end() == FOREVER


async def test_a_product_that_comes_late(till: Till) -> None:
    """What a product offers reaches those who have it already, and when it changes as well."""
    product = till.build_product("prod_late" + till.user, features="pro")
    await till.subscribe(product["id"])
    assert await till.read() == {}
    await till.tell("product.created", product)
    assert list(await till.read()) == ["pro"]
    other = product | {"metadata": {"features": "export"}}
    await till.tell("product.updated", other, till.now + 1)
    assert list(await till.read()) == ["export"]


async def test_a_price_goes_before_its_product(till: Till) -> None:
    """A price's metadata replaces its product's key by key, also when it comes late."""
    product = await till.add_product(features="pro", limit_seats="1")
    subscription = await till.subscribe(product)
    assert (await till.read())["seats"]["limit"] == 1
    price = {
        "id": subscription["items"]["data"][0]["price"]["id"],
        "object": "price",
        "product": product,
        "type": "recurring",
        "metadata": {"limit_seats": "8"},
    }
    await till.tell("price.created", price)
    rows = await till.read()
    assert (set(rows), rows["seats"]["limit"]) == ({"pro", "seats"}, 8)


async def test_stripe_entitlements(till: Till) -> None:
    """Features that Stripe lists last as long as the subscription; metadata limits them."""
    product = await till.add_product(limit_seats="4")
    subscription = await till.subscribe(product)
    keys = [{"lookup_key": key, "feature": f"feat_{key}"} for key in ("sso", "seats")]
    summary = {
        "object": "entitlements.active_entitlement_summary",
        "customer": till.customer["id"],
        "entitlements": {"object": "list", "data": keys, "has_more": False},
    }
    name = "entitlements.active_entitlement_summary.updated"
    await till.tell(name, summary)
    rows = await till.read()
    assert {key: row["limit"] for key, row in rows.items()} == {"sso": 0, "seats": 4}
    assert rows["sso"]["active_until"] == write_time(till.end + LEEWAY)
    assert rows["sso"]["sources"] == [subscription["id"]]
    empty = summary | {"entitlements": {"object": "list", "data": [], "has_more": False}}
    await till.tell(name, empty, till.now + 1)
    assert list(await till.read()) == ["seats"]


async def test_more_features_than_an_event_shows(till: Till, account: StripeAccount) -> None:
    """Where an event says that there are more, all of them are read from Stripe."""
    product = await account.create("products", name="Everything")
    for place in range(101):
        key = f"many_{till.user}_{place}"
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
    customer = await account.create("customers", **{"metadata[pocketbase_user]": till.user})
    await account.create(
        "subscriptions",
        customer=customer["id"],
        collection_method="send_invoice",
        days_until_due=7,
        **{"items[0][price]": price["id"]},
    )
    await account.wait_delivered()
    assert len(await till.read()) == 101


async def test_nothing_is_written_when_nothing_changes(till: Till) -> None:
    """A subscriber of the rows hears only of what differs."""
    product = await till.add_product(features="pro")
    subscription = await till.subscribe(product)
    frontend, token = till.dashboard.frontend, till.dashboard.token
    async with frontend.subscribe("entitlements/*", token=token) as feed:
        same = subscription | {"metadata": {"note": "x"}}
        await till.tell("customer.subscription.updated", same, till.now + 1)
        ended = subscription | {"status": "canceled"}
        await till.tell("customer.subscription.deleted", ended, till.now + 2)
        mine = await feed.next(lambda change: change.record["user"] == till.user)
        assert (mine.action, mine.record["active"]) == ("update", False)


async def test_a_deleted_user_leaves_no_entitlement(till: Till) -> None:
    """The rows go with the user."""
    await till.subscribe(await till.add_product(features="pro"))
    [row] = (await till.read()).values()
    await till.dashboard.call("DELETE", f"/api/collections/users/records/{till.user}")
    assert await till.dashboard.count("entitlements", f"id = '{row['id']}'") == 0
