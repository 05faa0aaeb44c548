"""An organization's Stripe customer has its name, and an address that a member reads."""

from typing import Any

import pytest

from tests.deadline import eventually
from tests.frontend import User
from tests.shop import Shop, build_order
from tests.stripe_account import StripeAccount
from tests.teams.team import MEMBERSHIPS, ORGANIZATIONS, Team
from tests.teams.test_purchase import offer

_USERS = "/api/collections/users/records"


async def _buy(team: Team, shop: Shop, account: StripeAccount, buyer: User, email: str = "") -> str:
    """Buy as a buyer does who types an address on Stripe's page; return the customer's id."""
    order = build_order(await offer(account, features="pro"), organization=team.id)
    session = (await shop.post("/checkout", buyer, order)).raise_for_status().json()
    typed = {"outcome": "pay", "card": "4242", "email": email or buyer.email}
    await shop.press(session["url"], **typed)
    await account.wait_delivered()
    paid = await account.read(f"checkout/sessions/{session['id']}")
    return str(paid["customer"])


async def _wait_for(account: StripeAccount, customer: str, **wanted: Any) -> None:
    async def is_told() -> bool:
        found = await account.read(f"customers/{customer}")
        return all(found[name] == value for name, value in wanted.items())

    await eventually(is_told, within=20)


async def _wait_known(team: Team, customer: str) -> None:
    where = f"customer = '{customer}'"
    await eventually(lambda: team.dashboard.list("gateway_billing_contacts", where), within=20)


async def _make_owner(team: Team, user: User) -> None:
    path = f"{MEMBERSHIPS}/{(await team.find(user))['id']}"
    assert await team.ask("PATCH", path, team.owner.token, {"role": "owner"}) == 200


async def test_the_name_follows(team: Team, shop: Shop, account: StripeAccount) -> None:
    """A new name of the organization is the customer's, and the address stays."""
    customer = await _buy(team, shop, account, team.owner)
    renamed = {"name": "Renamed"}
    assert await team.ask("PATCH", f"{ORGANIZATIONS}/{team.id}", team.admin.token, renamed) == 200
    await _wait_for(account, customer, name="Renamed", email=team.owner.email)


@pytest.mark.parametrize("how", ["deletes the account", "leaves", "is a plain member now"])
async def test_receipts_go_to_who_is_there(
    team: Team, how: str, shop: Shop, account: StripeAccount
) -> None:
    """The buyer hands over and goes: the oldest owner gets the receipts, at once after the buy."""
    customer = await _buy(team, shop, account, team.owner)
    await _make_owner(team, team.member)
    mine = f"{MEMBERSHIPS}/{(await team.find(team.owner))['id']}"
    if how == "leaves":
        assert await team.ask("DELETE", mine, team.owner.token) == 204
    elif how == "deletes the account":
        path = f"{_USERS}/{team.owner.id}"
        assert await team.ask("DELETE", path, team.owner.token) == 204
    else:
        assert await team.ask("PATCH", mine, team.member.token, {"role": "member"}) == 200
    await _wait_for(account, customer, email=team.member.email)
    await account.wait_delivered()
    row = await team.dashboard.find("customers", customer)
    assert row is not None
    assert row["email"] == team.member.email


async def test_a_new_address_of_the_contact(team: Team, shop: Shop, account: StripeAccount) -> None:
    """The buyer's account gets another address: receipts go there."""
    customer = await _buy(team, shop, account, team.admin, team.admin.email.upper())
    changed = f"new-{team.admin.email}"
    await team.dashboard.call("PATCH", f"{_USERS}/{team.admin.id}", {"email": changed})
    await _wait_for(account, customer, email=changed, name="Acme")


async def test_an_address_of_nobody_is_kept(team: Team, shop: Shop, account: StripeAccount) -> None:
    """A manually entered billing address stays when members come and go."""
    books = f"books-{team.id}@example.com"
    customer = await _buy(team, shop, account, team.owner, books)
    await _wait_known(team, customer)
    await _make_owner(team, team.member)
    await team.remove(team.owner, by=team.owner)
    renamed = {"name": "Renamed"}
    await team.ask("PATCH", f"{ORGANIZATIONS}/{team.id}", team.member.token, renamed)
    await _wait_for(account, customer, name="Renamed", email=books)


async def test_an_address_changed_at_stripe_is_kept(
    team: Team, shop: Shop, account: StripeAccount
) -> None:
    """An address set in the billing portal counts from then on."""
    customer = await _buy(team, shop, account, team.owner)
    await _wait_known(team, customer)
    books = f"books-{team.id}@example.com"
    await account.create(f"customers/{customer}", email=books)
    await account.wait_delivered()

    async def is_noted() -> bool:
        where = f"customer = '{customer}' && email = '{books}' && user = ''"
        return await team.dashboard.count("gateway_billing_contacts", where) == 1

    await eventually(is_noted, within=20)
    await team.dashboard.call("PATCH", f"{_USERS}/{team.owner.id}", {"email": f"x-{books}"})
    renamed = {"name": "Renamed"}
    assert await team.ask("PATCH", f"{ORGANIZATIONS}/{team.id}", team.admin.token, renamed) == 200
    await _wait_for(account, customer, name="Renamed", email=books)


async def test_a_customer_without_an_address_gets_one(team: Team, account: StripeAccount) -> None:
    """Made in the dashboard for the organization: its owner hears of failed payments."""
    named = {"metadata[pocketbase_organization]": team.id}
    customer = await account.create("customers", name="Acme", **named)
    price = await offer(account, features="pro")
    terms = {"collection_method": "send_invoice", "days_until_due": 5}
    items = {"items[0][price]": price}
    await account.create("subscriptions", customer=customer["id"], **items, **terms)
    await _wait_for(account, customer["id"], email=team.owner.email)
