"""An offer of very many buyers changes, or a customer with very many rows changes hands."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest_asyncio

from stack.gateway import Gateway
from stack.ports import pick_free
from stack.stack import Stack
from tests.dashboard import Dashboard
from tests.deadline import eventually
from tests.delivery import Sender, build_customer
from tests.entitlements.till import Till
from tests.frontend import Frontend
from tests.http_client import open_client

_PRODUCT = "prod_many"
_MANY = 230


@pytest_asyncio.fixture
async def own(fresh_stack: Callable[..., Stack]) -> Stack:
    """Parts that may be filled and stopped."""
    return fresh_stack()


@pytest_asyncio.fixture
async def till(own: Stack) -> AsyncIterator[Till]:
    """Sells to one user among many."""
    part = own.pocketbase
    async with open_client() as http, Frontend(part.url) as frontend:
        root = await frontend.log_in(part.superuser_email, part.superuser_password, "_superusers")
        sender = Sender(http, own.gateway.url, own.plan.stripe.webhook_secrets[0])
        till = Till(sender, Dashboard(frontend, root), (await frontend.sign_up()).id)
        await till.open()
        yield till


def _fill(stack: Stack, collection: str, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows past PocketBase, which would check that all those users exist."""
    with closing(sqlite3.connect(stack.pocketbase.data_dir / "data.db", timeout=10)) as database:
        for row in rows:
            marks = ", ".join("?" * len(row))
            insert = f"INSERT INTO {collection} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608
            database.execute(insert, list(row.values()))
        database.commit()


def _subscribe_many(stack: Stack) -> None:
    items = json.dumps([{"id": "si_many", "price": "price_many", "product": _PRODUCT}])
    rows = (
        {"stripe_id": f"sub_{token_hex(7)}", "user": token_hex(7), "status": "active"}
        for _ in range(_MANY)
    )
    _fill(stack, "subscriptions", ({"items": items, **row} for row in rows))


def _sell_many(stack: Stack) -> None:
    metadata = json.dumps({"pocketbase_item_1": "price_many:2"})
    rows = (
        {"stripe_id": f"cs_test_{token_hex(7)}", "user": token_hex(7), "metadata": metadata}
        for _ in range(_MANY)
    )
    paid = {"status": "complete", "payment_status": "paid", "mode": "payment"}
    _fill(stack, "checkout_sessions", ({**paid, **row} for row in rows))


async def _wait_entitled(till: Till, feature: str, buyers: int, **members: str) -> None:
    """Wait until so many have a feature, and nobody anything else."""

    async def are_entitled() -> bool:
        found = await till.dashboard.count(
            "entitlements", f"active = true && feature = '{feature}'"
        )
        return found == buyers == await till.dashboard.count("entitlements")

    await eventually(are_entitled, within=60)

    async def is_done() -> bool:
        return await till.dashboard.count("gateway_follow_ups") == 0

    await eventually(is_done)


async def test_a_change_reaches_all_buyers(own: Stack, till: Till) -> None:
    """Of subscriptions and of what was sold once; each change in the end as the last one says."""
    _subscribe_many(own)
    _sell_many(own)
    product = till.build_product(_PRODUCT, features="pro")
    price = {"id": "price_many", "object": "price", "type": "one_time", "metadata": {}}
    await till.tell("product.created", product)
    await till.tell("price.created", {**price, "product": _PRODUCT})
    await _wait_entitled(till, "pro", 2 * _MANY)
    for second, feature in enumerate(("plus", "max"), 1):
        product = till.build_product(_PRODUCT, features=feature)
        await till.tell("product.updated", product, till.now + second)
    await _wait_entitled(till, "max", 2 * _MANY)


async def test_whoever_buys_meanwhile_gets_the_new_offer(own: Stack, till: Till) -> None:
    """A webhook does not wait for the buyers of before, and is right at once."""
    _subscribe_many(own)
    await till.tell("product.created", till.build_product(_PRODUCT, features="pro"))
    await till.subscribe(_PRODUCT)
    assert "pro" in await till.read()
    await till.tell("product.updated", till.build_product(_PRODUCT, features="plus"), till.now + 1)
    await till.subscribe(_PRODUCT)
    assert list(await till.read()) == ["plus"]
    await _wait_entitled(till, "plus", _MANY + 1)


async def test_a_gateway_that_is_killed_is_followed_by_the_next(own: Stack, till: Till) -> None:
    """What was done is done, and the rest goes on where that ended, also by two at once."""
    _subscribe_many(own)
    await till.tell("product.created", till.build_product(_PRODUCT, features="pro"))
    own.gateway.kill()
    dashboard = till.dashboard
    route = "/api/gateway/follow-ups"
    await dashboard.call("POST", route)
    [row] = await dashboard.list("gateway_follow_ups")
    assert row["place"].startswith("subscriptions/")
    assert 0 < await dashboard.count("entitlements") < _MANY
    await asyncio.gather(*(dashboard.call("POST", route) for _ in range(3)))
    own.gateway.start()
    own.gateway.wait_healthy()
    await _wait_entitled(till, "pro", _MANY)


async def test_nothing_is_lost_when_pocketbase_is_killed(
    own: Stack, till: Till, tmp_path: Path
) -> None:
    """Killed again and again amid parts that two gateways ask for: all are as the last says."""
    _subscribe_many(own)
    _sell_many(own)
    price = {"id": "price_many", "object": "price", "type": "one_time", "metadata": {}}
    await till.tell("price.created", {**price, "product": _PRODUCT})
    other = Gateway(
        pick_free(),
        log=tmp_path / "gateway.log",
        pocketbase=own.pocketbase,
        stripe=own.plan.stripe,
        frontend_origins=own.plan.frontend_origins,
    )
    other.start()
    try:
        for second, feature in enumerate(("pro", "plus", "pro", "max")):
            product = till.build_product(_PRODUCT, features=feature)
            await till.tell("product.updated", product, till.now + second)
            await _wait_for_some(till, feature)
            own.pocketbase.kill()
            own.pocketbase.start()
            own.pocketbase.wait_healthy()
            own.gateway.wait_ready()
        await _wait_entitled(till, "max", 2 * _MANY)
    finally:
        other.stop()


async def _wait_for_some(till: Till, feature: str) -> None:
    async def are_some() -> bool:
        return await till.dashboard.count("entitlements", f"feature = '{feature}'") > 0

    await eventually(are_some, within=30)


async def test_what_always_fails_keeps_back_nothing(own: Stack, till: Till) -> None:
    """It stays with its error and comes again later; the others go on meanwhile."""
    _subscribe_many(own)
    row = {"kind": "of_a_later_release", "updated": "2020-01-01 00:00:00.000Z"}
    failing = await till.dashboard.call("POST", "/api/collections/gateway_follow_ups/records", row)
    await till.tell("product.created", till.build_product(_PRODUCT, features="pro"))

    async def is_alone() -> bool:
        left = await till.dashboard.list("gateway_follow_ups")
        return [(each["id"], bool(each["error"])) for each in left] == [(failing["id"], True)]

    await eventually(is_alone, within=60)
    assert await till.dashboard.count("entitlements", "feature = 'pro'") == _MANY
    [left] = await till.dashboard.list("gateway_follow_ups")
    assert left["updated"] > f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"


async def test_a_customer_with_very_many_rows_is_moved(own: Stack, till: Till) -> None:
    """What gives something is the user's at once, the rest soon after."""
    customer = build_customer("", metadata={})
    await till.tell("customer.created", customer)
    await till.add_product(features="pro")
    stored = await till.dashboard.find("customers", customer["id"])
    assert stored
    rows = ({"stripe_id": f"in_{token_hex(7)}", "customer": stored["id"]} for _ in range(_MANY))
    _fill(own, "invoices", rows)
    product = await till.add_product(features="pro")
    bought = till.build_subscription(product)
    await till.tell("customer.subscription.created", {**bought, "customer": customer["id"]})
    named = {**customer, "metadata": {"pocketbase_user": till.user}}
    await till.tell("customer.updated", named, till.now + 1)
    assert list(await till.read()) == ["pro"]
    theirs = f"user = '{till.user}'"
    assert await till.dashboard.count("invoices", theirs) < _MANY

    async def are_moved() -> bool:
        return await till.dashboard.count("invoices", theirs) == _MANY

    await eventually(are_moved, within=60)

    async def is_done() -> bool:
        return await till.dashboard.count("gateway_follow_ups") == 0

    await eventually(is_done)
