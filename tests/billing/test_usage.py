"""Reports of usage: callers, meters and repetitions."""

import asyncio
import time
from collections.abc import Callable
from secrets import token_hex
from typing import Any

import httpx
import pytest
import pytest_asyncio

from gateway.billing.usage.recorder import Usage, UsageRecorder
from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.stack import Stack
from gateway.errors import InvalidRequest
from gateway.pocketbase import PocketBase
from gateway.stripe_api import open_stripe
from tests.billing.conftest import MakeFault
from tests.dashboard import Dashboard, open_dashboard
from tests.deadline import eventually
from tests.frontend import Frontend, User
from tests.gateway_settings import build_settings
from tests.http_client import open_client
from tests.problem import read_problem
from tests.stripe_account import StripeAccount

Json = dict[str, Any]
METER = f"calls_{token_hex(4)}"


@pytest_asyncio.fixture
async def metered_price(account: StripeAccount) -> str:
    """A price that a meter bills; the meter is made once."""
    for price in await account.list("prices", active="true"):
        if price["lookup_key"] == METER:
            return str(price["id"])
    meter = await account.create(
        "billing/meters",
        display_name="Calls",
        event_name=METER,
        **{"default_aggregation[formula]": "sum"},
    )
    product = await account.create("products", name="Calls")
    recurring = {"interval": "month", "usage_type": "metered", "meter": meter["id"]}
    price = await account.create(
        "prices",
        product=product["id"],
        currency="usd",
        unit_amount=2,
        lookup_key=METER,
        **{f"recurring[{name}]": value for name, value in recurring.items()},
    )
    return str(price["id"])


@pytest_asyncio.fixture
async def payer(frontend: Frontend, account: StripeAccount, metered_price: str) -> User:
    """A user whose subscription the meter bills."""
    return await _subscribe(frontend, account, metered_price)


async def _subscribe(
    frontend: Frontend, account: StripeAccount, price: str, organization: str = ""
) -> User:
    user = await frontend.sign_up()
    whose = {"metadata[pocketbase_user]": user.id}
    if organization:
        whose["metadata[pocketbase_organization]"] = organization
    customer = await account.create("customers", email=user.email, **whose)
    await account.create("payment_methods/pm_card_visa/attach", customer=customer["id"])
    [card] = await account.list(f"customers/{customer['id']}/payment_methods")
    await account.create(
        "subscriptions",
        customer=customer["id"],
        default_payment_method=card["id"],
        **{"items[0][price]": price},
    )
    await account.wait_delivered()
    return user


def _report(**members: Any) -> Json:
    return {"meter": METER, "value": 5, "identifier": token_hex(8)} | members


async def _send(http: httpx.AsyncClient, url: str, token: str, body: Json) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return await http.post(f"{url}/usage", json=body, headers=headers)


async def _read_used(account: StripeAccount, user: User) -> int:
    """Return the count of the meter for a user's customer."""
    customer = await _find_customer(account, user)
    [meter] = [m for m in await account.list("billing/meters") if m["event_name"] == METER]
    day = int(time.time()) // 86_400
    times = {"start_time": (day - 40) * 86_400, "end_time": (day + 2) * 86_400}
    path = f"billing/meters/{meter['id']}/event_summaries"
    found = await account.list(path, customer=customer, **times)
    return sum(each["aggregated_value"] for each in found)


async def _find_customer(account: StripeAccount, user: User) -> str:
    customers = await account.list("customers", email=user.email)
    return str(customers[0]["id"])


async def test_a_superuser_reports_for_a_user(
    payer: User, stack: Stack, http: httpx.AsyncClient, superuser_token: str, account: StripeAccount
) -> None:
    """A report counts once for its identifier, whoever sends it again, at once or later."""
    body = _report(user=payer.id)
    answers = await asyncio.gather(
        *(_send(http, stack.gateway.url, superuser_token, body) for _ in range(5))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert [answer.json()["recorded"] for answer in answers].count(True) == 1
    assert await _read_used(account, payer) == body["value"]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_broken_connection_counts_once(
    when: str,
    payer: User,
    stack: Stack,
    http: httpx.AsyncClient,
    superuser_token: str,
    account: StripeAccount,
    faults: MakeFault,
) -> None:
    """Whether Stripe had counted or not, the report that is sent again counts once."""
    await faults("/v1/billing/meter_events", reset=when)
    body = _report(user=payer.id)
    answer = await _send(http, stack.gateway.url, superuser_token, body)
    assert answer.status_code == 200
    assert await _read_used(account, payer) == body["value"]


async def test_an_identifier_is_ones_own(
    frontend: Frontend,
    payer: User,
    metered_price: str,
    stack: Stack,
    http: httpx.AsyncClient,
    superuser_token: str,
    account: StripeAccount,
) -> None:
    """Two users may use the same identifier: neither takes the other's report away."""
    other = await _subscribe(frontend, account, metered_price)
    body = _report()
    for user in (payer, other):
        answer = await _send(http, stack.gateway.url, superuser_token, body | {"user": user.id})
        assert answer.json() == {"recorded": True}


async def test_users_report_nothing_by_default(
    payer: User, stack: Stack, http: httpx.AsyncClient, account: StripeAccount
) -> None:
    """Users report usage neither for themselves nor for others; a guest gets 401."""
    own = await _send(http, stack.gateway.url, payer.token, _report())
    read_problem(own, 403, "forbidden")
    others = await _send(http, stack.gateway.url, payer.token, _report(user=payer.id))
    read_problem(others, 403, "forbidden")
    nobody = await http.post(f"{stack.gateway.url}/usage", json=_report())
    read_problem(nobody, 401, "unauthenticated")
    assert await _read_used(account, payer) == 0


async def test_an_organizations_usage_is_reported_for_it(
    frontend: Frontend,
    metered_price: str,
    stack: Stack,
    http: httpx.AsyncClient,
    superuser_token: str,
    account: StripeAccount,
    dashboard: Dashboard,
) -> None:
    """The report for an organization's subscription names the organization, not the buyer."""
    path = "/api/collections/organizations/records"
    team = (await dashboard.call("POST", path, {"name": "Team"}))["id"]
    buyer = await _subscribe(frontend, account, metered_price, team)
    url = stack.gateway.url
    for wrong in ({"user": buyer.id}, {"organization": "unheardof000000"}):
        answer = await _send(http, url, superuser_token, _report(**wrong))
        read_problem(answer, 403, "nothing-metered")
    both = _report(user=buyer.id, organization=team)
    read_problem(await _send(http, url, superuser_token, both), 400, "invalid-request")
    foreign = await _send(http, url, buyer.token, _report(organization=team))
    read_problem(foreign, 403, "forbidden")
    answer = await _send(http, url, superuser_token, _report(organization=team))
    assert answer.json() == {"recorded": True}
    assert await _read_used(account, buyer) == 5


async def test_an_open_meter_takes_a_users_own_usage(
    payer: User,
    frontend: Frontend,
    start_gateway: Callable[..., GatewayProcess],
    http: httpx.AsyncClient,
) -> None:
    """On a meter of GATEWAY_SELF_SERVICE_METERS, subscribers report their own usage."""
    url = start_gateway(GATEWAY_SELF_SERVICE_METERS=f"other,{METER}").url
    assert (await _send(http, url, payer.token, _report())).json() == {"recorded": True}
    foreign = await _send(http, url, payer.token, _report(user=payer.id))
    read_problem(foreign, 403, "forbidden")
    stranger = await frontend.sign_up()
    answer = await _send(http, url, stranger.token, _report())
    read_problem(answer, 403, "nothing-metered")


async def test_usage_needs_a_running_subscription(
    payer: User, stack: Stack, http: httpx.AsyncClient, superuser_token: str, account: StripeAccount
) -> None:
    """After the subscription's end its user has nothing that could be metered."""
    customer = await _find_customer(account, payer)
    [subscription] = await account.list("subscriptions", customer=customer)
    await account.delete(f"subscriptions/{subscription['id']}")
    await account.wait_delivered()
    body = _report(user=payer.id)
    answer = await _send(http, stack.gateway.url, superuser_token, body)
    read_problem(answer, 403, "nothing-metered")


_WRONG: dict[str, Json] = {
    "value": {"value": -(10**10)},
    "value  ": {"value": 10**10},
    "value   ": {"value": "5"},
    "value    ": {"value": True},
    "value     ": {"value": None},
    "identifier": {"identifier": ""},
    "identifier ": {"identifier": "x" * 256},
    "timestamp": {"timestamp": int(time.time()) - 36 * 86_400},
    "timestamp ": {"timestamp": int(time.time()) + 86_400},
    "timestamp  ": {"timestamp": -1},
    "timestamp   ": {"timestamp": int(time.time()) - 10 * 86_400},
    "meter": {"meter": "unheard_of"},
    "meter ": {"meter": ""},
    "customer": {"customer": "cus_other"},
    "event_name": {"event_name": METER},
}


@pytest.mark.parametrize("place", _WRONG)
async def test_a_wrong_report_is_refused(
    place: str,
    payer: User,
    stack: Stack,
    http: httpx.AsyncClient,
    superuser_token: str,
    account: StripeAccount,
) -> None:
    """An invalid or unknown member is named in a 400; nothing reaches the meter."""
    body = _report(user=payer.id) | _WRONG[place]
    answer = await _send(http, stack.gateway.url, superuser_token, body)
    assert place.strip() in read_problem(answer, 400, "invalid-request")["data"]
    assert await _read_used(account, payer) == 0


@pytest.mark.parametrize("age", [-240, 0, 34 * 86_400])
async def test_a_time_within_the_window_is_taken(
    age: int,
    payer: User,
    stack: Stack,
    http: httpx.AsyncClient,
    superuser_token: str,
    dashboard: Dashboard,
) -> None:
    """Usage may be up to 35 days old, and up to five minutes ahead."""
    [row] = await dashboard.list("subscriptions", f"user = '{payer.id}'")
    path = f"/api/collections/subscriptions/records/{row['id']}"
    await dashboard.call("PATCH", path, {"created": "2020-01-01 00:00:00.000Z"})
    body = _report(user=payer.id, timestamp=int(time.time()) - age)
    answer = await _send(http, stack.gateway.url, superuser_token, body)
    assert answer.json() == {"recorded": True}


async def test_usage_from_before_the_subscription_is_refused(
    payer: User, stack: Stack, http: httpx.AsyncClient, superuser_token: str
) -> None:
    """No invoice would bill it; a clock that is some seconds behind is accepted."""
    url, now = stack.gateway.url, int(time.time())
    early = _report(user=payer.id, timestamp=now - 3600)
    answer = await _send(http, url, superuser_token, early)
    problem = read_problem(answer, 400, "invalid-request")
    assert problem["data"]["timestamp"]["code"] == "timestamp_before_subscription"
    late = _report(user=payer.id, timestamp=now - 30)
    assert (await _send(http, url, superuser_token, late)).json() == {"recorded": True}


async def test_fractions_and_corrections_are_billed(
    payer: User, stack: Stack, http: httpx.AsyncClient, superuser_token: str, account: StripeAccount
) -> None:
    """A superuser reports parts of a unit, and takes back what was too much."""
    for value in (0.1 + 0.2, 2, -1.3, 5.0, -0.0):
        body = _report(user=payer.id, value=value)
        answer = await _send(http, stack.gateway.url, superuser_token, body)
        assert answer.json() == {"recorded": True}, answer.text
    assert await _read_used(account, payer) == 6


async def test_a_user_takes_nothing_back(
    payer: User, start_gateway: Callable[..., GatewayProcess], http: httpx.AsyncClient
) -> None:
    """Users report their own usage on open meters, and never less than nothing."""
    url = start_gateway(GATEWAY_SELF_SERVICE_METERS=METER).url
    assert (await _send(http, url, payer.token, _report(value=0.5))).status_code == 200
    answer = await _send(http, url, payer.token, _report(value=-1))
    assert "value" in read_problem(answer, 400, "invalid-request")["data"]
    cancel = {"meter": METER, "identifier": "a", "user": payer.id}
    headers = {"Authorization": f"Bearer {payer.token}"}
    answer = await http.post(f"{url}/usage/cancel", json=cancel, headers=headers)
    read_problem(answer, 403, "forbidden")


async def test_a_report_is_canceled(
    payer: User, stack: Stack, http: httpx.AsyncClient, superuser_token: str, account: StripeAccount
) -> None:
    """A correction cancels the report of an identifier; an unknown one is a 404."""
    wrong, right = _report(user=payer.id), _report(user=payer.id, value=2)
    for body in (wrong, right):
        await _send(http, stack.gateway.url, superuser_token, body)
    headers = {"Authorization": f"Bearer {superuser_token}"}
    url = f"{stack.gateway.url}/usage/cancel"
    cancel = {"meter": METER, "user": payer.id, "identifier": wrong["identifier"]}
    answer = await http.post(url, json=cancel, headers=headers)
    assert answer.json() == {"canceled": True}, answer.text
    assert await _read_used(account, payer) == 2
    unknown = await http.post(url, json=cancel | {"identifier": "none"}, headers=headers)
    read_problem(unknown, 404, "usage-not-found")


async def _create_meter(account: StripeAccount, name: str) -> str:
    formula = {"default_aggregation[formula]": "sum"}
    made = await account.create("billing/meters", display_name=name, event_name=name, **formula)
    return str(made["id"])


async def _create_metered(account: StripeAccount, meter: str) -> str:
    product = await account.create("products", name="Calls")
    recurring = {"interval": "month", "usage_type": "metered", "meter": meter}
    fields = {f"recurring[{name}]": value for name, value in recurring.items()}
    price = await account.create(
        "prices", product=product["id"], currency="usd", unit_amount=2, **fields
    )
    return str(price["id"])


async def test_an_archived_meter_is_noticed_at_once(
    frontend: Frontend,
    stack: Stack,
    http: httpx.AsyncClient,
    superuser_token: str,
    account: StripeAccount,
) -> None:
    """The gateway drops its cached meter when Stripe refuses a report, and names the cause."""
    name, url = f"m_{token_hex(4)}", stack.gateway.url
    first = await _create_meter(account, name)
    old = await _subscribe(frontend, account, await _create_metered(account, first))
    report = {"meter": name, "user": old.id}
    assert (await _send(http, url, superuser_token, _report(**report))).status_code == 200

    await account.create(f"billing/meters/{first}/deactivate")
    for _ in range(2):
        answer = await _send(http, url, superuser_token, _report(**report))
        problem = read_problem(answer, 409, "meter-archived")
        assert problem["data"]["meter"]["code"] == "meter_archived"

    second = await _create_meter(account, name)
    new = await _subscribe(frontend, account, await _create_metered(account, second))
    answer = await _send(http, url, superuser_token, _report(meter=name, user=new.id))
    assert answer.json() == {"recorded": True}
    read_problem(await _send(http, url, superuser_token, _report(**report)), 403, "nothing-metered")


async def test_a_meter_made_again_is_noticed_at_once(
    frontend: Frontend,
    stack: Stack,
    http: httpx.AsyncClient,
    superuser_token: str,
    account: StripeAccount,
) -> None:
    """A subscriber of the new meter is not refused because of the old one."""
    name, url = f"m_{token_hex(4)}", stack.gateway.url
    first = await _create_meter(account, name)
    old = await _subscribe(frontend, account, await _create_metered(account, first))
    body = _report(meter=name, user=old.id)
    assert (await _send(http, url, superuser_token, body)).status_code == 200
    await account.create(f"billing/meters/{first}/deactivate")
    second = await _create_meter(account, name)
    new = await _subscribe(frontend, account, await _create_metered(account, second))

    async def is_taken() -> bool:
        answer = await _send(http, url, superuser_token, _report(meter=name, user=new.id))
        return answer.status_code == 200

    assert await eventually(is_taken, 3)


async def test_the_time_is_stripes(fresh_stack: Callable[..., Stack]) -> None:
    """With a simulator's clock that is ahead, usage is reported by that clock."""
    stack = fresh_stack()
    async with open_dashboard(stack.pocketbase) as dashboard, open_client() as http:
        account = StripeAccount(http, stack.simulator)
        meter = await _create_meter(account, METER)
        price = await _create_metered(account, meter)
        clock = await account.control("clock/advance", seconds=90 * 86_400)
        payer = await _subscribe(dashboard.frontend, account, price)
        for more in ({}, {"timestamp": clock["now"] + 60}):
            body = _report(user=payer.id) | more
            answer = await _send(http, stack.gateway.url, dashboard.token, body)
            assert answer.json() == {"recorded": True}, answer.text
        body = _report(user=payer.id, timestamp=int(time.time()))
        answer = await _send(http, stack.gateway.url, dashboard.token, body)
        read_problem(answer, 400, "invalid-request")


async def test_code_reports_usage_by_a_call(payer: User, stack: Stack) -> None:
    """The same rules hold for code that runs beside the gateway."""
    settings = build_settings(
        stack.pocketbase,
        stripe_secret_key=stack.plan.stripe.secret_key,
        stripe_api_base=stack.simulator.url,
    )
    async with PocketBase(settings) as pocketbase, open_stripe(settings) as client:
        recorder = UsageRecorder(pocketbase, client)
        usage = Usage(payer.id, METER, 7, token_hex(8))
        assert await recorder.record(usage)
        assert not await recorder.record(usage)
        with pytest.raises(InvalidRequest):
            await recorder.record(Usage(payer.id, METER, -7, token_hex(8)))
        assert await recorder.record(Usage(payer.id, METER, -7, token_hex(8), correction=True))
