"""entitlement.gained and entitlement.lost, whatever changes the rows."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack
from tests.catalogue import wait_for_catalogue
from tests.deadline import wait_until
from tests.effects.conftest import Notes
from tests.frontend import Frontend, User
from tests.shop import Shop
from tests.stripe_account import StripeAccount


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Notes:
    """The notes of the gateway in `stack`."""
    return Notes(tmp_path_factory.mktemp("entitled") / "notes")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, notes: Notes) -> Iterator[Stack]:
    """A stack with the app of entitled.py."""
    env = {"GATEWAY_APP": "tests.effects.entitled:app", "NOTES": str(notes.file)}
    with Stack(plan_throwaway(tmp_path_factory.mktemp("stack"), env)) as running:
        running.gateway.wait_ready()
        wait_for_catalogue(running.pocketbase)
        yield running


async def _buy(shop: Shop, account: StripeAccount, frontend: Frontend) -> User:
    user = await frontend.sign_up()
    await shop.pay(await shop.check_out(user, "pro_monthly"))
    await account.wait_delivered()
    return user


def _wait(notes: Notes, type: str, user: User) -> list[dict[str, Any]]:
    return wait_until(lambda: notes.read("entitlement", type=type, user=user.id))


def _run_sql(stack: Stack, sql: str, *values: str) -> None:
    file = stack.pocketbase.data_dir / "data.db"
    with closing(sqlite3.connect(file, timeout=10)) as database, database:
        database.execute(sql, values)


async def test_a_purchase_and_its_end(
    shop: Shop, account: StripeAccount, frontend: Frontend, notes: Notes
) -> None:
    """Each event names the user, the feature and the purchases that cause it."""
    user = await _buy(shop, account, frontend)
    [subscription] = await frontend.list_records("subscriptions", token=user.token)
    gained = _wait(notes, "entitlement.gained", user)
    features = {each["object"]["feature"] for each in gained}
    assert features
    assert {tuple(each["object"]["cause"]) for each in gained} == {(subscription["stripe_id"],)}
    assert all(each["domain"] == ["entitlement.gained"] for each in gained)

    await account.delete(f"subscriptions/{subscription['stripe_id']}")
    lost = wait_until(
        lambda: (
            found
            if len(found := notes.read("entitlement", type="entitlement.lost", user=user.id))
            == len(features)
            else []
        )
    )
    assert {each["object"]["feature"] for each in lost} == features
    assert {tuple(each["object"]["cause"]) for each in lost} == {(subscription["stripe_id"],)}
    assert len({each["key"] for each in gained + lost}) == 2 * len(features)


async def test_changes_without_a_gateway(
    stack: Stack, shop: Shop, account: StripeAccount, frontend: Frontend, notes: Notes
) -> None:
    """A row that is removed while no gateway runs is lost as well; its user keeps the others."""
    user = await _buy(shop, account, frontend)
    _wait(notes, "entitlement.gained", user)
    stack.gateway.stop()
    try:
        _run_sql(stack, "DELETE FROM entitlements WHERE user = ?", user.id)
    finally:
        stack.gateway.start()
        stack.gateway.wait_ready()
    [lost, *_] = _wait(notes, "entitlement.lost", user)
    assert lost["object"]["user"] == user.id


async def test_an_end_by_time(
    stack: Stack, shop: Shop, account: StripeAccount, frontend: Frontend, notes: Notes
) -> None:
    """Entitlements that end without a Stripe event are found by a check every minute, once."""
    user = await _buy(shop, account, frontend)
    gained = len(_wait(notes, "entitlement.gained", user))
    _run_sql(
        stack,
        "UPDATE entitlements SET active_until = '2026-01-01 00:00:00.000Z' WHERE user = ?",
        user.id,
    )
    wait_until(lambda: notes.read("entitlement", type="entitlement.lost", user=user.id), 75)
    lost = len(notes.read("entitlement", type="entitlement.lost", user=user.id))
    _run_sql(
        stack,
        "UPDATE entitlements SET active_until = '2099-01-01 00:00:00.000Z', lapsed = 0"
        " WHERE user = ?",
        user.id,
    )
    wait_until(
        lambda: len(notes.read("entitlement", type="entitlement.gained", user=user.id)) > gained
    )
    assert len(notes.read("entitlement", type="entitlement.lost", user=user.id)) == lost
