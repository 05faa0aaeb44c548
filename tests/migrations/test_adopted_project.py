"""The gateway in a project with its own `products` and so on, and another auth collection."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack
from gateway.vocabulary import COLLECTIONS, CollectionNames
from tests.dashboard import Dashboard, open_dashboard
from tests.deadline import eventually
from tests.delivery import Sender, build_event
from tests.frontend import Frontend, Record, User
from tests.http_client import open_client
from tests.migrations.own_logic import NOTES
from tests.operations.operator import run_gateway
from tests.problem import read_problem
from tests.second_gateway import run_second_gateway
from tests.shop import Shop, build_order
from tests.stripe_account import StripeAccount
from tests.superuser import create_collections, open_superuser_client

_SETTINGS = {
    "GATEWAY_COLLECTION_PREFIX": "shop_",
    "GATEWAY_INTERNAL_COLLECTION_PREFIX": "Billing_",
    # A keyword of SQL.
    "GATEWAY_AUTH_COLLECTION": "group",
}
_NAMES = CollectionNames("shop_", "Billing_", "group")
#: The project's collections: every default name of the gateway, and an auth collection.
_OWN = sorted({CollectionNames().of(key) for key in COLLECTIONS})
_PROJECT = """
migrate((app) => {
  app.delete(app.findCollectionByNameOrId("users"))
  const rule = "id = @request.auth.id"
  app.save(new Collection({ name: "group", type: "auth", createRule: "", listRule: rule,
    viewRule: rule, fields: [{ name: "name", type: "text" }] }))
  for (const name of NAMES) {
    app.save(new Collection({ name, type: "base", listRule: "", createRule: "",
      fields: [{ name: "title", type: "text" },
        { name: "created", type: "autodate", onCreate: true }],
      indexes: [`CREATE INDEX idx_${name}_created ON ${name} (created)`] }))
    const record = new Record(app.findCollectionByNameOrId(name))
    record.set("title", "mine")
    app.save(record)
  }
  app.save(new Collection({ name: "payouts", type: "base", fields: [
    { name: "stripe_id", type: "text" }, { name: "stamp", type: "text", hidden: true },
    { name: "status", type: "text" }, { name: "created", type: "date" },
    { name: "stripe_object", type: "json", hidden: true }],
    indexes: ["CREATE UNIQUE INDEX idx_own_payouts ON payouts (stripe_id)"] }))
}, () => {})
"""


@dataclass(frozen=True, slots=True)
class Site:
    """The project, its superuser's view and its Stripe account."""

    stack: Stack
    frontend: Frontend
    dashboard: Dashboard
    shop: Shop
    account: StripeAccount
    notes: Path

    async def sign_up(self) -> User:
        """Sign up in the project's auth collection."""
        return await self.frontend.sign_up(collection="group")

    async def list(self, key: str, token: str = "", **query: str) -> list[Record]:
        """Return the records of one of the gateway's collections."""
        token = token or self.dashboard.token
        return await self.frontend.list_records(_NAMES.of(key), token=token, **query)

    async def buy(self, user: User, price: str = "pro_monthly", **members: Any) -> None:
        """Buy and wait for the webhooks."""
        answer = await self.shop.post("/checkout", user, build_order(price, **members))
        assert answer.status_code == 200, answer.text
        await self.shop.pay(answer.json())
        await self.account.wait_delivered()


@pytest.fixture(scope="module")
def adopted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The parts, on a database that a project has used before."""
    folder = tmp_path_factory.mktemp("adopted")
    own = folder / "own"
    own.mkdir()
    names = ", ".join(f'"{name}"' for name in _OWN)
    (own / "1700000000_own.js").write_text(_PROJECT.replace("NAMES", f"[{names}]"))
    logic = {
        "GATEWAY_APP": "tests.migrations.own_logic:app",
        NOTES: str(folder / "notes"),
    }
    plan = plan_throwaway(folder, _SETTINGS | logic)
    with Stack(replace(plan, migrations=(own,))) as running:
        yield running


@pytest_asyncio.fixture
async def site(adopted: Stack) -> AsyncIterator[Site]:
    """The project as its users, its superuser and Stripe see it."""
    async with open_dashboard(adopted.pocketbase) as dashboard, open_client() as http:
        yield Site(
            adopted,
            dashboard.frontend,
            dashboard,
            Shop(http, adopted.gateway.url),
            StripeAccount(http, adopted.simulator),
            Path(adopted.gateway.env[NOTES]),
        )


async def test_a_purchase_reaches_its_buyer_live(site: Site) -> None:
    """Rows arrive under the prefix at the buyer alone, with entitlements and a notification."""
    buyer, other = await site.sign_up(), await site.sign_up()
    async with site.frontend.subscribe("shop_subscriptions/*", token=buyer.token) as feed:
        await site.buy(buyer)
        change = await feed.next(lambda change: change.record["status"] == "active")
    assert change.record["user"] == buyer.id
    [entitlement] = await site.list("entitlements", buyer.token)
    assert (entitlement["feature"], entitlement["active"]) == ("pro", True)
    for key in ("subscriptions", "entitlements", "customers", "invoices"):
        assert await site.list(key, buyer.token)
        assert await site.list(key, other.token) == []

    async def is_told() -> bool:
        return site.notes.exists() and buyer.id in site.notes.read_text().split()

    await eventually(is_told, within=20)

    async def is_done() -> bool:
        return {row["status"] for row in await site.list("work")} == {"done"}

    await eventually(is_done)
    assert {row["outcome"] for row in await site.list("stripe_events")} <= {
        "applied",
        "superseded",
        "ignored",
    }


async def test_a_team_buys_and_its_members_see_it(site: Site) -> None:
    """Invitations, managers' rules and the buyer's organization work by the prefixed names."""
    owner, member, other = [await site.sign_up() for _ in range(3)]
    path = "/api/collections/shop_{}/records".format
    team = await site.frontend.call(
        "POST", path("organizations"), token=owner.token, body={"name": "Acme"}
    )
    body = {"organization": team["id"], "user": member.id, "role": "member"}
    await site.frontend.call("POST", path("memberships"), token=owner.token, body=body)
    [invitation] = await site.list("membership_invitations", member.token)
    assert invitation["organization_name"] == "Acme"
    await site.frontend.call(
        "PATCH",
        f"{path('membership_invitations')}/{invitation['id']}",
        token=member.token,
        body={"accepted": True},
    )
    await site.buy(owner, organization=team["id"])
    for user in (owner, member):
        [row] = await site.list("subscriptions", user.token)
        assert row["organization"] == team["id"]
    assert await site.list("invoices", member.token) == []
    assert len(await site.list("invoices", owner.token)) == 1
    assert await site.list("subscriptions", other.token) == []


async def test_the_own_collections_stay(site: Site) -> None:
    """The project's records are as they were, its transform is asked, and it may delete them."""
    for name in _OWN:
        assert [row["title"] for row in await site.frontend.list_records(name)][:1] == ["mine"]
    created = await site.frontend.call(
        "POST", "/api/collections/products/records", body={"title": "quiet"}
    )
    assert created["title"] == "QUIET"
    await site.dashboard.call("DELETE", "/api/collections/coupons")
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        await site.dashboard.call("DELETE", "/api/collections/shop_coupons")


async def test_a_deleted_user_is_forgotten_at_stripe(site: Site) -> None:
    """The hooks of the auth collection and the tasks of customers work."""
    user = await site.sign_up()
    await site.buy(user)
    [customer] = await site.list("customers", filter=f"user = '{user.id}'")
    await site.frontend.call(
        "PATCH",
        f"/api/collections/group/records/{user.id}",
        token=site.dashboard.token,
        body={"name": "Ada"},
    )

    async def is_renamed() -> bool:
        found = await site.account.read(f"customers/{customer['stripe_id']}")
        return bool(found["name"] == "Ada")

    await eventually(is_renamed, within=20)
    await site.dashboard.call("DELETE", f"/api/collections/group/records/{user.id}")

    async def is_forgotten() -> list[Record]:
        where = f"customer = '{customer['stripe_id']}' && kind = 'deleted' && outcome != ''"
        return await site.list("payer_changes", filter=where)

    assert await eventually(is_forgotten, within=20)


async def test_a_user_has_no_chosen_id(site: Site) -> None:
    """The guards of the auth collection are on the project's own."""
    body = {"id": "chosen000000001", "email": "x@example.com", "password": "12345678"}
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        await site.frontend.call(
            "POST",
            "/api/collections/group/records",
            body=body | {"passwordConfirm": body["password"]},
        )


async def test_an_endpoint_of_the_project_knows_its_users(site: Site) -> None:
    """`CurrentUser` is a record of the project's auth collection."""
    user = await site.sign_up()
    answer = await site.shop.http.get(f"{site.shop.url}/whoami", headers=user.bearer)
    assert answer.json() == {"collection": "group", "id": user.id}


async def test_the_commands_work(site: Site) -> None:
    """Reconcile finds no difference, events are listed, and a customer moves to another user."""
    user, other = await site.sign_up(), await site.sign_up()
    await site.buy(user)
    done = await run_gateway(site.stack, "reconcile")
    assert done.code == 0, done.err
    assert [row["finished"] for row in await site.list("reconciliations")] != [""]
    listed = await run_gateway(site.stack, "events", "list")
    assert listed.code == 0
    assert "customer.subscription.created" in listed.out
    [customer] = await site.list("customers", user.token)
    moved = await run_gateway(
        site.stack, "customers", "move", customer["stripe_id"], "--to", other.id
    )
    assert moved.code == 0, moved.err
    assert len(await site.list("subscriptions", other.token)) == 1


async def test_a_mirror_of_the_project_has_the_name_that_it_gives(site: Site) -> None:
    """The prefix is for the gateway's collections only."""
    secret = site.stack.plan.stripe.webhook_secrets[0]
    payout = {"id": "po_1", "object": "payout", "status": "paid", "created": 9}
    sender = Sender(site.shop.http, site.stack.gateway.url, secret)
    assert (await sender.send(build_event("payout.paid", payout))).is_success
    [row] = await site.dashboard.list("payouts")
    assert (row["stripe_id"], row["status"]) == ("po_1", "paid")


async def test_a_command_with_other_names_says_so(site: Site) -> None:
    """A command without the gateway's settings of names ends with their names."""
    env = site.stack.gateway.env
    kept = env.pop("GATEWAY_COLLECTION_PREFIX")
    try:
        done = await run_gateway(site.stack, "events", "list")
    finally:
        env["GATEWAY_COLLECTION_PREFIX"] = kept
    assert done.code == 1
    assert "GATEWAY_COLLECTION_PREFIX" in done.err


async def test_the_portal_and_changes_of_a_subscription_work(site: Site) -> None:
    """Everything that starts at the buyer's token knows the auth collection."""
    user = await site.sign_up()
    await site.buy(user)
    assert await site.shop.open_portal(user)
    [row] = await site.list("subscriptions", user.token)
    path = f"/subscriptions/{row['stripe_id']}/cancel"
    answer = await site.shop.post(path, user, {})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("variable", _SETTINGS)
def test_a_gateway_with_other_names_is_not_ready(
    variable: str, adopted: Stack, tmp_path: Path
) -> None:
    """/ready names the setting and both values."""
    env = {name: text for name, text in _SETTINGS.items() if name != variable}
    with run_second_gateway(adopted, tmp_path / "gateway.log", **env) as gateway:
        detail = _read_ready(gateway)
    assert f'{variable} is "{_SETTINGS[variable]}"' in detail


def _read_ready(gateway: GatewayProcess) -> str:
    answer = httpx.get(f"{gateway.url}/ready", trust_env=False)
    return str(read_problem(answer, 503)["detail"])


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("GATEWAY_COLLECTION_PREFIX", "other_", 'the collections begin with ""'),
        ("GATEWAY_INTERNAL_COLLECTION_PREFIX", "own_", 'the collections begin with "gateway_"'),
        ("GATEWAY_AUTH_COLLECTION", "members", "memberships belong to users"),
        ("GATEWAY_AUTH_COLLECTION", "staff", "memberships belong to users"),
    ],
)
def test_names_that_change_after_the_installation_are_reported(
    variable: str, value: str, said: str, fresh_stack: Callable[..., Stack]
) -> None:
    """Both processes have new names, the database the old ones: /ready names the setting."""
    stack = fresh_stack()
    with open_superuser_client(stack.pocketbase) as client:
        create_collections(client, {"name": "staff", "type": "auth"})
    for part in (stack.pocketbase, stack.gateway):
        part.stop()
        part.env[variable] = value
        part.start()
        part.wait_healthy()
    assert said in _read_ready(stack.gateway)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GATEWAY_COLLECTION_PREFIX", "_shop"),
        ("GATEWAY_COLLECTION_PREFIX", "1shop"),
        ("GATEWAY_COLLECTION_PREFIX", "my shop_"),
        ("GATEWAY_COLLECTION_PREFIX", "a_via_"),
        ("GATEWAY_COLLECTION_PREFIX", "sqlite_"),
        ("GATEWAY_COLLECTION_PREFIX", "s" * 41),
        ("GATEWAY_INTERNAL_COLLECTION_PREFIX", "x-"),
        ("GATEWAY_AUTH_COLLECTION", "_superusers"),
        ("GATEWAY_AUTH_COLLECTION", "customers"),
        ("GATEWAY_AUTH_COLLECTION", "a_via_b"),
    ],
)
def test_names_that_no_collection_can_have_are_refused(
    variable: str, value: str, fresh_stack: Callable[..., Stack]
) -> None:
    """PocketBase and the gateway end at once, and name the variable."""
    stack = fresh_stack(start=False)
    stack.pocketbase.ensure_superuser()
    for part in (stack.pocketbase, stack.gateway):
        part.env[variable] = value
        part.start()
        assert part.wait(60) not in (None, 0)
        assert variable in "\n".join(part.read_last_lines(200))
