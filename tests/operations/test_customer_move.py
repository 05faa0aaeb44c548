"""A Stripe customer gets another owner: by command, over HTTP, or by hand in the dashboard."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.deadline import eventually
from tests.frontend import Frontend, User
from tests.operations.operator import run_gateway
from tests.problem import read_problem
from tests.shop import Shop
from tests.stripe_account import StripeAccount
from tests.teams.team import found_team

_OWNED = ("subscriptions", "invoices", "charges", "payments", "checkout_sessions", "entitlements")


@dataclass(frozen=True)
class Sale:
    """A user who has bought a subscription with features, and another user."""

    buyer: User
    other: User
    customer: str
    session: str
    dashboard: Dashboard

    async def find_owners(self) -> set[tuple[str, str]]:
        """Return the users and organizations whom the customer's rows belong to."""
        row = await self.dashboard.find("customers", self.customer)
        assert row
        owners = {(row["user"], row["organization"])}
        for collection in _OWNED[:-1]:
            rows = await self.dashboard.list(collection, f"customer = '{row['id']}'")
            assert rows, collection
            owners |= {(each["user"], each["organization"]) for each in rows}
        return owners

    async def list_features(self, payer: str) -> list[str]:
        """Return what a user or an organization may use."""
        where = f"(user = '{payer}' || organization = '{payer}') && active = true"
        return [row["feature"] for row in await self.dashboard.list("entitlements", where)]


@pytest_asyncio.fixture
async def sale(
    frontend: Frontend, dashboard: Dashboard, shop: Shop, account: StripeAccount
) -> Sale:
    """Sold a moment ago."""
    product = await account.create("products", name="Moved", **{"metadata[features]": "moved"})
    fields = {"recurring[interval]": "month", "currency": "usd", "unit_amount": 900}
    price = await account.create("prices", product=product["id"], **fields)
    await account.wait_delivered()
    buyer, other = await frontend.sign_up(), await frontend.sign_up()
    session = await shop.check_out(buyer, price["id"])
    await shop.pay(session)
    await account.wait_delivered()
    [customer] = await dashboard.list("customers", f"user = '{buyer.id}'")
    return Sale(buyer, other, customer["stripe_id"], session["id"], dashboard)


async def _read_owner(account: StripeAccount, customer: str) -> dict[str, Any]:
    found = await account.read(f"customers/{customer}")
    return {"email": found["email"], **found["metadata"]}


async def test_a_command_moves_a_customer_whole(
    sale: Sale, stack: Stack, shop: Shop, account: StripeAccount
) -> None:
    """`gateway customers move` moves every row, and Stripe's metadata and address, and stays."""
    other = sale.other
    done = await run_gateway(stack, "customers", "move", sale.customer, "--to", other.id)
    assert (done.code, done.err) == (0, "")
    assert done.lines == [f"{sale.customer}  user {sale.buyer.id} -> user {other.id}"]
    assert await sale.find_owners() == {(other.id, "")}
    assert await sale.list_features(sale.buyer.id) == []
    assert await sale.list_features(other.id) == ["moved"]
    told = {"pocketbase_user": other.id, "email": other.email}
    assert await _read_owner(account, sale.customer) == told

    # Later events change nothing, nor does the same command.
    await account.create(f"customers/{sale.customer}", description="Changed")
    await account.wait_delivered()
    await run_gateway(stack, "customers", "move", sale.customer, "--to", other.id)
    assert await sale.find_owners() == {(other.id, "")}
    assert (await shop.come_back(other, sale.session)).status_code == 200
    read_problem(await shop.come_back(sale.buyer, sale.session), 404, "no-such-purchase")


async def test_the_former_owner_buys_with_another_customer(
    sale: Sale, stack: Stack, shop: Shop, account: StripeAccount, dashboard: Dashboard
) -> None:
    """A user whose customer was moved gets a new one, despite Stripe's idempotency key."""
    await run_gateway(stack, "customers", "move", sale.customer, "--to", sale.other.id)
    await account.wait_delivered()
    session = await shop.check_out(sale.buyer, "lifetime")
    made = await account.read(f"checkout/sessions/{session['id']}")
    assert made["customer"] != sale.customer
    [row] = await dashboard.list("customers", f"user = '{sale.buyer.id}'")
    assert row["stripe_id"] == made["customer"]


async def test_a_customer_moves_to_an_organization_and_back(
    sale: Sale, stack: Stack, frontend: Frontend, account: StripeAccount
) -> None:
    """`--to-organization` takes the user's name out of the metadata, and `--to` the other's."""
    team = await found_team(frontend, sale.dashboard)
    command = ("customers", "move", sale.customer)
    assert (await run_gateway(stack, *command, "--to-organization", team.id)).code == 0
    assert await sale.find_owners() == {("", team.id)}
    assert await sale.list_features(team.id) == ["moved"]
    metadata = (await account.read(f"customers/{sale.customer}"))["metadata"]
    assert metadata == {"pocketbase_organization": team.id}
    assert (await run_gateway(stack, *command, "--to", sale.buyer.id)).code == 0
    await account.wait_delivered()
    assert await sale.find_owners() == {(sale.buyer.id, "")}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Give --to USER or --to-organization ORG."),
        (("--to", "nobody"), "There is no such user."),
        (("--to-organization", "nobody"), "There is no such organization."),
    ],
)
async def test_a_wrong_owner_changes_nothing(
    arguments: tuple[str, ...], said: str, sale: Sale, stack: Stack
) -> None:
    """A payer who does not exist is refused in one sentence, before Stripe is told anything."""
    done = await run_gateway(stack, "customers", "move", sale.customer, *arguments)
    assert (done.code, done.err.strip()) == (1, said)
    assert await sale.find_owners() == {(sale.buyer.id, "")}


async def test_a_customer_that_stripe_lacks(sale: Sale, stack: Stack) -> None:
    """An unknown customer is refused in one sentence."""
    done = await run_gateway(stack, "customers", "move", "cus_none", "--to", sale.other.id)
    assert (done.code, done.err.strip()) == (1, "Stripe has no such customer.")


async def test_the_same_over_http(
    sale: Sale, stack: Stack, http: httpx.AsyncClient, superuser_token: str
) -> None:
    """POST /admin/customers/{id}/move does what the command does, for superusers only."""
    url = f"{stack.gateway.url}/admin/customers/{sale.customer}/move"
    body = {"user": sale.other.id}
    read_problem(await http.post(url, json=body, headers=sale.buyer.bearer), 403)
    headers = {"Authorization": f"Bearer {superuser_token}"}
    wrong = await http.post(url, json={"user": "nobody"}, headers=headers)
    assert read_problem(wrong, 400)["data"]["user"]["code"] == "owner_unknown"
    answer = await http.post(url, json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    moved = answer.json()
    assert (moved["user"], moved["former_user"]) == (sale.other.id, sale.buyer.id)
    assert await sale.find_owners() == {(sale.other.id, "")}


async def test_metadata_in_stripes_dashboard_moves_it(sale: Sale, account: StripeAccount) -> None:
    """A seller who names another user in the customer's metadata moves everything."""
    fields = {"metadata[pocketbase_user]": sale.other.id}
    await account.create(f"customers/{sale.customer}", **fields)
    await account.wait_delivered()
    assert await sale.find_owners() == {(sale.other.id, "")}
    assert await sale.list_features(sale.buyer.id) == []


async def test_an_owner_edited_by_hand_is_whole(
    sale: Sale, account: StripeAccount, stack: Stack, shop: Shop
) -> None:
    """A superuser's edit of `customers.user` moves all rows, and Stripe's metadata follows."""
    row = await sale.dashboard.find("customers", sale.customer)
    assert row
    path = f"/api/collections/customers/records/{row['id']}"
    # The new owner has a primary customer of their own.
    await shop.check_out(sale.other, "lifetime")
    await sale.dashboard.call("PATCH", path, {"user": sale.other.id})
    assert await sale.find_owners() == {(sale.other.id, "")}
    assert await sale.list_features(sale.other.id) == ["moved"]
    # An event that Stripe made before it was told.
    await account.create(f"customers/{sale.customer}", description="Changed")
    await account.wait_delivered()
    assert await sale.find_owners() == {(sale.other.id, "")}

    async def is_told() -> bool:
        found = await _read_owner(account, sale.customer)
        return found == {"pocketbase_user": sale.other.id, "email": sale.other.email}

    await eventually(is_told, within=20)
    await account.wait_delivered()
    assert await sale.find_owners() == {(sale.other.id, "")}
    primary = await sale.dashboard.list("customers", f"user = '{sale.other.id}' && primary = true")
    assert [each["stripe_id"] for each in primary] == [sale.customer]


@pytest.mark.parametrize(
    ("change", "code"),
    [({"user": ""}, "validation_owner_required"), ({"user": "nobody000000000"}, "")],
)
async def test_an_edit_without_an_owner_is_refused(
    change: dict[str, str], code: str, sale: Sale
) -> None:
    """A manual transfer without a new owner is refused."""
    row = await sale.dashboard.find("customers", sale.customer)
    assert row
    path = f"/api/collections/customers/records/{row['id']}"
    with pytest.raises(httpx.HTTPStatusError) as refused:
        await sale.dashboard.call("PATCH", path, change)
    assert refused.value.response.status_code == 400
    problem = refused.value.response.json()["data"]["user"]
    assert not code or problem["code"] == code
    assert await sale.find_owners() == {(sale.buyer.id, "")}
