"""The part of `gateway init` at Stripe: key, webhook endpoint and portal."""

import pytest

from gateway.dev.plan import plan_throwaway
from gateway.dev.pocketbase import PocketBaseProcess
from gateway.dev.ports import pick_free
from gateway.dev.stack import Stack
from gateway.setup.event_types import PINNED_VERSION, handled_types
from gateway.setup.permissions import PERMISSIONS
from gateway.setup.webhook_endpoint import MADE_BY
from tests.setup.conftest import DOMAIN, KEY, URL, Ended, Machine

_SLUGS = [each.slug for each in PERMISSIONS]


@pytest.fixture(scope="module")
def pocketbase(tmp_path_factory: pytest.TempPathFactory) -> PocketBaseProcess:
    """A PocketBase that is never started: these tests need its address only."""
    return Stack(plan_throwaway(tmp_path_factory.mktemp("machine"))).pocketbase


async def _init(machine: Machine, *arguments: str, key: str = KEY) -> Ended:
    flags = ("--without-pocketbase", f"--domain={DOMAIN}", *arguments)
    return await machine.init(*flags, STRIPE_SECRET_KEY=key)


async def _open(machine: Machine, **changes: object) -> str:
    """Create an endpoint as a person does in the dashboard; return its id."""
    params = {"url": URL, "enabled_events": ["*"], "api_version": PINNED_VERSION} | changes
    made = await machine.stripe.sdk.v1.webhook_endpoints.create_async(
        params,  # type: ignore[arg-type]
        {"api_key": KEY},
    )
    return made.id


async def test_an_older_endpoint_is_replaced(machine: Machine) -> None:
    """First the new one, with both secrets; then the former one is disabled; then nothing."""
    machine.write_env("STRIPE_WEBHOOK_SECRETS=whsec_mine")
    former = await _open(machine, api_version="2024-06-20")
    first = await _init(machine)
    assert "the next `gateway init` disables the former webhook endpoint" in first.out
    statuses = {each["id"]: each["status"] for each in machine.endpoints}
    [made] = statuses.keys() - {former}
    assert set(statuses.values()) == {"enabled"}
    secrets = f"{machine.secret_of(made)},whsec_mine"
    assert machine.env["STRIPE_WEBHOOK_SECRETS"] == secrets
    await _init(machine)
    assert {each["id"]: each["status"] for each in machine.endpoints} == {
        former: "disabled",
        made: "enabled",
    }
    assert (await _init(machine)).changes == []
    assert machine.env["STRIPE_WEBHOOK_SECRETS"] == secrets


async def test_an_unknown_secret_needs_a_decision(machine: Machine) -> None:
    """Without it deliveries would fail; --new-endpoint creates another endpoint."""
    machine.write_env()
    former = await _open(machine)
    ended = await _init(machine)
    assert ended.code == 0
    assert f"Stripe has the webhook endpoint {former}, but its secret is not stored" in ended.out
    assert len(machine.endpoints) == 1
    await _init(machine, "--new-endpoint")
    assert len(machine.endpoints) == 2
    assert machine.env["STRIPE_WEBHOOK_SECRETS"] == machine.secret_of(machine.endpoints[1]["id"])


async def test_a_half_made_endpoint_is_made_anew(machine: Machine) -> None:
    """A run that ended before it stored the secret leaves an endpoint of no use."""
    machine.write_env()
    await _open(machine, metadata={MADE_BY: "init"})
    await _init(machine)
    [endpoint] = machine.endpoints
    assert machine.env["STRIPE_WEBHOOK_SECRETS"] == machine.secret_of(endpoint["id"])
    assert (await _init(machine)).changes == []


async def test_types_and_status_are_corrected(machine: Machine) -> None:
    """An endpoint with a known secret is updated in place; --all-events selects all."""
    machine.write_env()
    await _init(machine)
    [endpoint] = machine.endpoints
    await machine.stripe.sdk.v1.webhook_endpoints.update_async(
        endpoint["id"], {"enabled_events": ["price.created"], "disabled": True}, {"api_key": KEY}
    )
    ended = await _init(machine)
    assert f"{endpoint['id']}: it is disabled; it lacks" in ended.out
    assert machine.endpoints == [endpoint]
    await _init(machine, "--all-events")
    assert machine.endpoints[0]["enabled_events"] == ["*"]
    assert (await _init(machine, "--all-events")).changes == []


async def test_stripes_limit_is_named(machine: Machine) -> None:
    """With 16 endpoints none can be created."""
    machine.write_env()
    for number in range(16):
        await _open(machine, url=f"https://{number}.example.com/")
    ended = await _init(machine)
    assert ended.code == 1
    assert "You have reached the maximum of 16 test webhook endpoints" in ended.out
    assert "Delete one that is not used any more." in ended.out


async def test_missing_permissions_are_named(machine: Machine) -> None:
    """With their purpose; what they allow is done when they are there."""
    machine.write_env()
    held = [slug for slug in _SLUGS if slug not in ("webhook_write", "customer_write")]
    key = "rk_test_machine"
    await machine.stripe.control("restricted_keys", key=key, permissions=held)
    ended = await _init(machine, key=key)
    assert ended.code == 0
    assert "lacks Customers: Write (POST /checkout) (rak_customer_write)" in ended.out
    assert "the webhook endpoint waits for the permissions of the key" in ended.out
    assert machine.endpoints == []
    await machine.stripe.control("restricted_keys", key=key, permissions=_SLUGS)
    assert (await _init(machine, key=key)).code == 0
    assert len(machine.endpoints) == 1


async def test_a_key_that_stripe_refuses_is_named(machine: Machine) -> None:
    """Stripe answers 401."""
    machine.write_env()
    ended = await _init(machine, key="sk_test_other")
    assert ended.code == 1
    assert "Stripe does not accept STRIPE_SECRET_KEY (401)" in ended.out


async def test_stripe_may_be_down(machine: Machine) -> None:
    """Generated secrets are kept; the same command continues."""
    machine.write_env(f"STRIPE_API_BASE=http://127.0.0.1:{pick_free()}")
    ended = await _init(machine)
    assert ended.code == 1
    assert "failed        Stripe" in ended.out
    generated = machine.env["GATEWAY_HOOK_SECRETS"]
    assert generated
    with machine.env_file.open("a") as file:
        file.write(f"STRIPE_API_BASE={machine.stripe.base}\n")
    assert (await _init(machine)).code == 0
    assert machine.env["GATEWAY_HOOK_SECRETS"] == generated
    assert len(machine.endpoints) == 1


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://shop.example.com/webhooks/stripe", "Stripe delivers live events to https only"),
        ("shop.example.com", "is not an http(s) address"),
    ],
)
async def test_a_live_endpoint_needs_https(machine: Machine, url: str, sentence: str) -> None:
    """Other addresses are refused before the call."""
    machine.write_env()
    key = "rk_live_machine"
    await machine.stripe.control("restricted_keys", key=key, permissions=_SLUGS)
    ended = await _init(machine, f"--webhook-url={url}", key=key)
    assert ended.code == 1
    assert sentence in ended.out
    assert machine.endpoints == []


async def test_the_live_key_replaces_the_secrets_of_test_mode(machine: Machine) -> None:
    """Deliveries of test mode would otherwise change rows of the live shop."""
    machine.write_env(
        "STRIPE_SECRET_KEY=sk_test_former",
        "STRIPE_WEBHOOK_SECRETS=whsec_test",
        "GATEWAY_PORTAL_CONFIGURATIONS=bpc_test",
    )
    key = "rk_live_machine"
    await machine.stripe.control("restricted_keys", key=key, permissions=_SLUGS)
    ended = await _init(machine, key=key)
    assert "The key is now one of live mode." in ended.out
    [endpoint] = machine.endpoints
    assert machine.env["STRIPE_WEBHOOK_SECRETS"] == machine.secret_of(endpoint["id"])
    assert machine.env["GATEWAY_PORTAL_CONFIGURATIONS"] == machine.portals[0]["id"]
    assert endpoint["enabled_events"] == list(handled_types())


async def test_your_own_portal_stays(machine: Machine) -> None:
    """A configuration of the setting is not changed, and no other is made."""
    create = machine.stripe.sdk.v1.billing_portal.configurations.create_async
    own = await create({"features": {"invoice_history": {"enabled": True}}}, {"api_key": KEY})
    machine.write_env(f"GATEWAY_PORTAL_CONFIGURATIONS={own.id}")
    ended = await _init(machine)
    assert f"the portal's configuration {own.id} is your own" in ended.out
    assert [each["id"] for each in machine.portals] == [own.id]


async def test_the_portal_follows_the_catalogue(machine: Machine) -> None:
    """A new plan can be chosen after the next run; metered prices can't."""
    machine.write_env()
    await _init(machine)
    post = machine.stripe.simulator.api.call
    product = post("POST", "/v1/products", {"name": "Team"})["id"]
    given = {"product": product, "currency": "usd", "unit_amount": 900}
    price = post("POST", "/v1/prices", given | {"recurring": {"interval": "month"}})["id"]
    ended = await _init(machine)
    assert "the features of the portal's configuration" in ended.out
    [portal] = machine.portals
    products = machine.stripe.simulator.world.facts("portal_products")[portal["id"]]
    assert [price] in [each["prices"] for each in products]
    assert (await _init(machine)).changes == []


async def test_an_account_without_plans_has_a_portal(machine: Machine) -> None:
    """Without a change of plan."""
    machine.stripe.simulator.catalogue = ()
    machine.stripe.simulator.reset()
    machine.write_env()
    assert (await _init(machine)).code == 0
    assert not machine.portals[0]["features"]["subscription_update"]["enabled"]
