"""Databases that earlier releases wrote open, migrate and serve, and none of their work is lost."""

import sqlite3
from contextlib import closing

import httpx

from tests.deadline import eventually
from tests.operations.operator import run_gateway
from tests.stripe_account import StripeAccount
from tests.upgrade.conftest import Upgraded

_MIRROR = ("customers", "subscriptions", "invoices", "charges", "payments", "products", "prices")


def _customer_of(upgraded: Upgraded, user: str) -> str:
    with closing(sqlite3.connect(upgraded.stack.pocketbase.data_dir / "data.db")) as database:
        query = "SELECT stripe_id FROM customers WHERE user = ?"
        return str(database.execute(query, [user]).fetchone()[0])


def _outcomes_of(upgraded: Upgraded, payer: str) -> list[str]:
    with closing(sqlite3.connect(upgraded.stack.pocketbase.data_dir / "data.db")) as database:
        query = "SELECT outcome FROM gateway_payer_changes WHERE payer = ?"
        return [str(outcome) for (outcome,) in database.execute(query, [payer])]


async def test_rows_stay_and_the_gateway_is_ready(
    upgraded: Upgraded, http: httpx.AsyncClient
) -> None:
    """Every mirrored row is there, and /ready answers 200."""
    answer = await http.get(f"{upgraded.stack.gateway.url}/ready")
    assert answer.status_code == 200, answer.text
    for table in _MIRROR:
        assert upgraded.count(table) >= upgraded.rows[table], table
    assert upgraded.count("stripe_events") >= upgraded.rows["stripe_events"]


async def test_pending_mails_are_sent_once(upgraded: Upgraded) -> None:
    """Each receipt that waited for a mail server is sent, and only once."""

    async def have_arrived() -> bool:
        return {"stays@shop.test", "renamed@shop.test"} <= _recipients(upgraded)

    await eventually(have_arrived, 60)
    found = [address for each in upgraded.mail_server.recipients for address in each]
    assert len(found) == len(set(found))


def _recipients(upgraded: Upgraded) -> set[str]:
    return {address for each in upgraded.mail_server.recipients for address in each}


async def test_handlers_that_may_have_run_are_not_called_again(upgraded: Upgraded) -> None:
    """A call that failed, and one that a kill left unfinished, wait for an operator's decision."""
    listed = await run_gateway(upgraded.stack, "work", "list", "--status", "parked", "--json")
    assert (listed.code, len(listed.lines)) == (0, 6), listed.err
    assert upgraded.calls("refuse") == upgraded.calls("hang") == []

    retried = await run_gateway(
        upgraded.stack, "work", "retry", "--parked", "--handler", "tests.upgrade.shop.refuse"
    )
    assert retried.code == 0, retried.err

    async def were_called() -> bool:
        return len(upgraded.calls("refuse")) == 3

    await eventually(were_called, 20)
    assert len(set(upgraded.calls("refuse"))) == 3
    assert upgraded.calls("hang") == []


async def test_changes_of_users_reach_stripe(upgraded: Upgraded, http: httpx.AsyncClient) -> None:
    """A name that waited for Stripe is there; the deleted user's subscription ends, on record."""
    account = StripeAccount(http, upgraded.stack.simulator)
    renamed = _customer_of(upgraded, upgraded.people["renamed"])

    async def is_renamed() -> bool:
        return (await account.read(f"customers/{renamed}"))["name"] == "Renamed Buyer"

    async def has_ended() -> bool:
        found = await account.list("subscriptions", status="active")
        return len(found) == 2

    await eventually(is_renamed, 60)
    await eventually(has_ended, 60)

    async def is_recorded() -> bool:
        return _outcomes_of(upgraded, upgraded.people["deleted"]) == ["canceled"]

    await eventually(is_recorded, 20)
