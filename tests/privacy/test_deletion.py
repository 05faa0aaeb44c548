"""`gateway users delete`: nothing about the person stays, and nothing comes back."""

from collections.abc import Callable
from secrets import token_hex
from typing import Any

import httpx

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.deadline import eventually
from tests.delivery import Sender, build_event
from tests.frontend import Frontend
from tests.operations.operator import run_gateway, start_gateway_command
from tests.privacy.people import Buyer, find_everywhere, find_in_files
from tests.shop import Shop, build_order
from tests.stripe_account import StripeAccount
from tests.teams.team import found_team
from tests.teams.test_purchase import buy, offer

_SUMS = ("stripe_id", "status", "currency", "total", "amount_paid", "created", "number")


async def _read_sums(dashboard: Dashboard, customer: str) -> list[dict[str, Any]]:
    row = await dashboard.find("customers", customer)
    assert row
    invoices = await dashboard.list("invoices", f"customer = '{row['id']}'")
    return [{name: each[name] for name in _SUMS} for each in invoices]


async def test_nothing_about_the_person_stays(
    buyer: Buyer, stack: Stack, dashboard: Dashboard, account: StripeAccount, sender: Sender
) -> None:
    """Account, customers and personal data go; invoices stay; late events bring nothing back."""
    customer = buyer.customers[0]
    text = await dashboard.call(
        "POST", "/api/collections/texts/records", {"text": f"Of {buyer.user.email}"}
    )
    before = await _read_sums(dashboard, customer)
    late = await account.read(f"customers/{customer}")
    [invoice] = await account.list("invoices", customer=customer)
    counted = await run_gateway(stack, "users", "delete", buyer.user.email, "--dry-run")
    assert counted.code == 0, counted.err
    assert f"user {buyer.user.id}" in counted.lines
    assert {f"customer {each}" for each in buyer.customers} <= set(counted.lines)
    assert (await dashboard.find("customers", customer) or {})["email"] == buyer.user.email

    done = await run_gateway(stack, "users", "delete", buyer.user.email, "--yes")
    assert done.code == 0, done.err
    assert "texts: 1 records contain the address" in done.err
    assert buyer.user.email not in done.out
    await dashboard.call("DELETE", f"/api/collections/texts/records/{text['id']}")
    await account.wait_delivered()
    assert await dashboard.list("users", f"id = '{buyer.user.id}'") == []
    for each in buyer.customers:
        assert (await account.read(f"customers/{each}"))["deleted"]
    assert await _read_sums(dashboard, customer) == before

    # Deliveries that Stripe repeats, and one that it had not made yet.
    events = [
        build_event("customer.updated", late, {"name": "Former", "email": buyer.user.email}),
        build_event("invoice.paid", {**invoice, "customer_name": buyer.name}),
        build_event("invoice.upcoming", {**invoice, "id": None, "customer_name": buyer.name}),
    ]
    for event in events:
        event["created"] += 100
        assert (await sender.send(event)).status_code == 200
    assert (await run_gateway(stack, "reconcile", "--only", "customers,invoices")).code == 0
    again = await run_gateway(stack, "users", "delete", buyer.user.id, "--yes", "--vacuum")
    assert (again.code, again.err) == (0, "")
    assert find_everywhere(stack, buyer.values) == []
    assert find_in_files(stack, buyer.values) == []
    assert await _read_sums(dashboard, customer) == before
    repeated = await run_gateway(stack, "reconcile", "--only", "invoices", "--dry-run")
    assert invoice["id"] not in repeated.out


async def test_records_of_a_team(buyer: Buyer, stack: Stack, dashboard: Dashboard) -> None:
    """Columns with the address are emptied, and texts of other people stay."""
    done = await run_gateway(stack, "users", "delete", buyer.user.id, "--yes")
    assert done.code == 0, done.err
    [note] = await dashboard.list("notes", f"id = '{buyer.note}'")
    assert note["author"] == ""
    [lead] = await dashboard.list("leads", f"id = '{buyer.lead}'")
    assert lead["contact"] == ""
    assert await dashboard.list("gateway_work", f"id = '{buyer.item}'") == []


async def test_an_unknown_person(stack: Stack) -> None:
    """An unknown address is not an error, so that a repetition is not one either."""
    done = await run_gateway(stack, "users", "delete", "nobody@privacy.test", "--yes")
    assert (done.code, done.out.strip()) == (
        0,
        "There is no user, customer or purchase of nobody@privacy.test.",
    )


async def test_a_guest(
    start_gateway: Callable[..., GatewayProcess],
    stack: Stack,
    dashboard: Dashboard,
    http: httpx.AsyncClient,
    account: StripeAccount,
) -> None:
    """An address also finds purchases without an account, with and without a customer."""
    email = f"guest-{token_hex(4)}@privacy.test"
    open_shop = Shop(http, start_gateway(GATEWAY_GUEST_CHECKOUT="true").url)
    session = (await open_shop.post("/checkout", None, build_order("lifetime"))).json()
    await open_shop.press(session["url"], outcome="pay", card="4242", email=email)
    await account.wait_delivered()
    row = await dashboard.find("checkout_sessions", session["id"])
    assert row
    [customer] = await dashboard.list("customers", f"id = '{row['customer']}'")
    assert customer["email"] == email
    done = await run_gateway(stack, "users", "delete", email, "--yes")
    assert done.code == 0, done.err
    assert (await account.read(f"customers/{customer['stripe_id']}"))["deleted"]
    await account.wait_delivered()
    assert find_everywhere(stack, (email,)) == []
    assert await dashboard.count("payments", f"customer = '{customer['id']}'") == 1


async def test_a_purchase_without_a_customer(
    stack: Stack, dashboard: Dashboard, sender: Sender
) -> None:
    """Such a session and its payment are erased, and late events about them are as well."""
    email, tag = f"link-{token_hex(4)}@privacy.test", token_hex(6)
    payment = {
        "id": f"pi_{tag}",
        "object": "payment_intent",
        "status": "succeeded",
        "amount": 500,
        "currency": "eur",
        "customer": None,
        "receipt_email": email,
        "metadata": {},
    }
    session = {
        "id": f"cs_{tag}",
        "object": "checkout.session",
        "status": "complete",
        "customer": None,
        "payment_intent": payment["id"],
        "customer_details": {"email": email, "name": f"Linus {tag}", "address": {"country": "DE"}},
        "metadata": {},
    }
    for type, item in (
        ("payment_intent.succeeded", payment),
        ("checkout.session.completed", session),
    ):
        assert (await sender.send(build_event(type, item))).is_success
    done = await run_gateway(stack, "users", "delete", email.upper(), "--yes")
    assert done.code == 0, done.err
    late = build_event("payment_intent.canceled", payment)
    late["created"] += 100
    assert (await sender.send(late)).is_success
    assert find_everywhere(stack, (email, f"Linus {tag}")) == []
    row = await dashboard.find("checkout_sessions", session["id"])
    assert row
    assert row["stripe_object"]["customer_details"]["address"]["country"] == "DE"


async def test_the_last_owner_of_a_team(
    stack: Stack,
    frontend: Frontend,
    dashboard: Dashboard,
    shop: Shop,
    account: StripeAccount,
) -> None:
    """It is refused with the choices; --hand-over promotes, and replaces the address at Stripe."""
    team = await found_team(frontend, dashboard)
    await buy(shop, team, team.owner, await offer(account, features="pro"))
    await account.wait_delivered()
    [customer] = await dashboard.list("customers", f"organization = '{team.id}'")
    await account.create(f"customers/{customer['stripe_id']}", email=team.owner.email)
    await account.wait_delivered()
    command = ("users", "delete", team.owner.email, "--yes")
    refused = await run_gateway(stack, *command)
    assert refused.code == 1
    assert team.id in refused.err
    assert "--hand-over" in refused.err
    assert await dashboard.list("users", f"id = '{team.owner.id}'")
    done = await run_gateway(stack, *command, "--hand-over")
    assert done.code == 0, done.err
    await account.wait_delivered()
    assert (await team.find(team.admin))["role"] == "owner"
    [customer] = await dashboard.list("customers", f"organization = '{team.id}'")
    assert customer["email"] == team.admin.email
    [subscription] = await dashboard.list("subscriptions", f"organization = '{team.id}'")
    assert subscription["status"] == "active"
    assert find_everywhere(stack, (team.owner.email,)) == []


async def test_it_continues_after_a_kill(
    buyer: Buyer, stack: Stack, dashboard: Dashboard, account: StripeAccount
) -> None:
    """After kill -9 while Stripe does not answer, the same command completes the deletion."""
    customer = buyer.customers[0]
    path = f"/v1/customers/{customer}"
    await account.control("faults", method="DELETE", path=path, status=503, times=1000)
    command = ("users", "delete", buyer.user.email, "--yes")
    async with start_gateway_command(stack, *command) as running:
        await eventually(lambda: _has_no(dashboard, buyer.user.id), within=30)
        running.kill()
        await running.wait()
    assert (await dashboard.find("customers", customer) or {})["user"] == ""
    await account.clear_faults()
    done = await run_gateway(stack, *command)
    assert done.code == 0, done.err
    await account.wait_delivered()
    assert find_everywhere(stack, buyer.values) == []


async def _has_no(dashboard: Dashboard, user: str) -> bool:
    return not await dashboard.list("users", f"id = '{user}'")


async def test_a_user_who_was_deleted_before(
    buyer: Buyer, stack: Stack, dashboard: Dashboard, account: StripeAccount
) -> None:
    """The record's id finds the customers that the deletion in PocketBase only canceled."""
    await dashboard.call("DELETE", f"/api/collections/users/records/{buyer.user.id}")
    changes = f"payer = '{buyer.user.id}' && outcome = 'canceled'"

    async def are_canceled() -> bool:
        return len(await dashboard.list("gateway_payer_changes", changes)) == 2

    await eventually(are_canceled, within=30)
    await account.wait_delivered()
    assert (await dashboard.find("customers", buyer.customers[0]) or {})["email"]
    done = await run_gateway(stack, "users", "delete", buyer.user.id, "--yes")
    assert done.code == 0, done.err
    for each in buyer.customers:
        assert (await account.read(f"customers/{each}"))["deleted"]
    await account.wait_delivered()
    # The relation that named the user was emptied, and a name alone finds no record.
    assert find_everywhere(stack, buyer.values) == ["data.db.notes.text"]
