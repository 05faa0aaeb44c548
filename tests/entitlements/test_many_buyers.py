"""An offer of very many buyers changes, or a customer with very many rows changes hands."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

import pytest_asyncio

from gateway.dev.stack import Stack
from tests.database import insert_rows
from tests.deadline import eventually
from tests.delivery import build_customer
from tests.entitlements.purchases import Purchases, open_purchases
from tests.second_gateway import build_second_gateway

_PRODUCT = "prod_many"
_MANY = 230


@pytest_asyncio.fixture
async def own(fresh_stack: Callable[..., Stack]) -> Stack:
    """Parts that may be filled and stopped."""
    return fresh_stack()


@pytest_asyncio.fixture
async def purchases(own: Stack) -> AsyncIterator[Purchases]:
    """Sells to one user among many."""
    async with open_purchases(own) as purchases:
        yield purchases


def _subscribe_many(stack: Stack) -> None:
    items = json.dumps([{"id": "si_many", "price": "price_many", "product": _PRODUCT}])
    rows = (
        {"stripe_id": f"sub_{token_hex(7)}", "user": token_hex(7), "status": "active"}
        for _ in range(_MANY)
    )
    insert_rows(stack.pocketbase, "subscriptions", ({"items": items, **row} for row in rows))


def _sell_many(stack: Stack) -> None:
    metadata = json.dumps({"pocketbase_item_1": "price_many:2"})
    rows = (
        {"stripe_id": f"cs_test_{token_hex(7)}", "user": token_hex(7), "metadata": metadata}
        for _ in range(_MANY)
    )
    paid = {"status": "complete", "payment_status": "paid", "mode": "payment"}
    insert_rows(stack.pocketbase, "checkout_sessions", ({**paid, **row} for row in rows))


async def _wait_entitled(purchases: Purchases, feature: str, buyers: int, **members: str) -> None:
    """Wait until so many payers have a feature, and no other feature is left."""

    async def are_entitled() -> bool:
        found = await purchases.dashboard.count(
            "entitlements", f"active = true && feature = '{feature}'"
        )
        return found == buyers == await purchases.dashboard.count("entitlements")

    await eventually(are_entitled, within=60)

    await _wait_for_parts(purchases)


_PARTS = "(handler = 'gateway.entitlements.recompute' || handler = 'gateway.customers.move_rows')"


async def _wait_for_parts(purchases: Purchases) -> None:
    """Wait until all work that is too long for one transaction is done."""

    async def is_done() -> bool:
        return await purchases.dashboard.count("gateway_work", f"{_PARTS} && status != 'done'") == 0

    await eventually(is_done, within=60)


async def test_a_change_reaches_all_buyers(own: Stack, purchases: Purchases) -> None:
    """Of subscriptions and of what was sold once; each change in the end as the last one says."""
    _subscribe_many(own)
    _sell_many(own)
    product = purchases.build_product(_PRODUCT, features="pro")
    price = {"id": "price_many", "object": "price", "type": "one_time", "metadata": {}}
    await purchases.tell("product.created", product)
    await purchases.tell("price.created", {**price, "product": _PRODUCT})
    await _wait_entitled(purchases, "pro", 2 * _MANY)
    for second, feature in enumerate(("plus", "max"), 1):
        product = purchases.build_product(_PRODUCT, features=feature)
        await purchases.tell("product.updated", product, purchases.now + second)
    await _wait_entitled(purchases, "max", 2 * _MANY)


async def test_whoever_buys_meanwhile_gets_the_new_offer(own: Stack, purchases: Purchases) -> None:
    """A webhook does not wait for the buyers of before, and is right at once."""
    _subscribe_many(own)
    await purchases.tell("product.created", purchases.build_product(_PRODUCT, features="pro"))
    await purchases.subscribe(_PRODUCT)
    assert "pro" in await purchases.read()
    await purchases.tell(
        "product.updated", purchases.build_product(_PRODUCT, features="plus"), purchases.now + 1
    )
    await purchases.subscribe(_PRODUCT)
    assert list(await purchases.read()) == ["plus"]
    await _wait_entitled(purchases, "plus", _MANY + 1)


async def test_a_gateway_that_is_killed_is_followed_by_the_next(
    own: Stack, purchases: Purchases
) -> None:
    """After a kill, the work continues at its last part, also with two gateways."""
    _subscribe_many(own)
    await purchases.tell("product.created", purchases.build_product(_PRODUCT, features="pro"))
    own.gateway.kill()
    dashboard = purchases.dashboard
    [item] = await dashboard.list("gateway_work", _PARTS)
    asked = "POST", "/api/gateway/work/part", {"id": item["id"]}
    await dashboard.call(*asked)
    [item] = await dashboard.list("gateway_work", _PARTS)
    assert item["state"]["cursor"].startswith("subscriptions/")
    assert 0 < await dashboard.count("entitlements") < _MANY
    await asyncio.gather(*(dashboard.call(*asked) for _ in range(3)))
    _end_leases(own)
    own.gateway.start()
    own.gateway.wait_healthy()
    await _wait_entitled(purchases, "pro", _MANY)


def _end_leases(own: Stack) -> None:
    """Let the leases of a killed gateway run out."""
    with closing(sqlite3.connect(own.pocketbase.data_dir / "data.db", timeout=10)) as database:
        database.execute("UPDATE gateway_work SET lease = '2020' WHERE status = 'running'")
        database.commit()


async def test_nothing_is_lost_when_pocketbase_is_killed(
    own: Stack, purchases: Purchases, tmp_path: Path
) -> None:
    """Repeated kills during parts that two gateways process: the last product's features win."""
    _subscribe_many(own)
    _sell_many(own)
    price = {"id": "price_many", "object": "price", "type": "one_time", "metadata": {}}
    await purchases.tell("price.created", {**price, "product": _PRODUCT})
    other = build_second_gateway(own, tmp_path / "gateway.log")
    other.start()
    try:
        for second, feature in enumerate(("pro", "plus", "pro", "max")):
            product = purchases.build_product(_PRODUCT, features=feature)
            await purchases.tell("product.updated", product, purchases.now + second)
            await _wait_for_some(purchases, feature)
            own.pocketbase.kill()
            own.pocketbase.start()
            own.pocketbase.wait_healthy()
            own.gateway.wait_ready()
        await _wait_entitled(purchases, "max", 2 * _MANY)
    finally:
        other.stop()


async def _wait_for_some(purchases: Purchases, feature: str) -> None:
    async def are_some() -> bool:
        return await purchases.dashboard.count("entitlements", f"feature = '{feature}'") > 0

    await eventually(are_some, within=30)


async def test_what_always_fails_keeps_back_nothing(own: Stack, purchases: Purchases) -> None:
    """It stays with its error and comes again later; the others go on meanwhile."""
    _subscribe_many(own)
    row = {"kind": "task", "handler": "gateway.entitlements.recompute", "status": "waiting"}
    row |= {"due": "2020-01-01 00:00:00.000Z", "payload": {"object": "a"}}
    state = {"state": {"cursor": "no_such_collection/"}}
    failing = await purchases.dashboard.call(
        "POST", "/api/collections/gateway_work/records", row | state
    )
    await purchases.tell("product.created", purchases.build_product(_PRODUCT, features="pro"))

    async def is_alone() -> bool:
        left = await purchases.dashboard.list("gateway_work", f"{_PARTS} && status != 'done'")
        return [(each["id"], bool(each["error"])) for each in left] == [(failing["id"], True)]

    await eventually(is_alone, within=60)
    assert await purchases.dashboard.count("entitlements", "feature = 'pro'") == _MANY
    [left] = await purchases.dashboard.list("gateway_work", f"id = '{failing['id']}'")
    assert left["due"] > f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"


async def test_a_customer_with_very_many_rows_is_moved(own: Stack, purchases: Purchases) -> None:
    """Entitlements are moved at once, other rows soon after."""
    customer = build_customer("", metadata={})
    await purchases.tell("customer.created", customer)
    await purchases.add_product(features="pro")
    stored = await purchases.dashboard.find("customers", customer["id"])
    assert stored
    rows = ({"stripe_id": f"in_{token_hex(7)}", "customer": stored["id"]} for _ in range(_MANY))
    insert_rows(own.pocketbase, "invoices", rows)
    product = await purchases.add_product(features="pro")
    bought = purchases.build_subscription(product)
    await purchases.tell("customer.subscription.created", {**bought, "customer": customer["id"]})
    named = {**customer, "metadata": {"pocketbase_user": purchases.user}}
    await purchases.tell("customer.updated", named, purchases.now + 1)
    assert list(await purchases.read()) == ["pro"]
    theirs = f"user = '{purchases.user}'"
    assert await purchases.dashboard.count("invoices", theirs) < _MANY

    async def are_moved() -> bool:
        return await purchases.dashboard.count("invoices", theirs) == _MANY

    await eventually(are_moved, within=60)
    await _wait_for_parts(purchases)
