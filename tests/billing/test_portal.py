"""The portal at one of its pages: for the caller's own subscriptions, and back to the frontend."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.dev.gateway_process import GatewayProcess
from tests.billing.conftest import Subscribe
from tests.billing.subscriber import Subscriber
from tests.checkout.test_redirects import EVIL
from tests.problem import read_problem
from tests.shop import ORIGIN

_RETURN = f"{ORIGIN}/account"


async def _open(subscriber: Subscriber, **body: Any) -> dict[str, Any]:
    """Open the portal, and return its session as Stripe has it."""
    answer = await subscriber.shop.post("/portal", subscriber.user, {"return_url": _RETURN, **body})
    assert answer.status_code == 200, answer.text
    session = answer.json()["url"].rpartition("/")[2]
    events = await subscriber.account.list("events", type="billing_portal.session.created")
    made: list[dict[str, Any]] = [event["data"]["object"] for event in events]
    return next(found for found in made if found["id"] == session)


async def test_each_flow_opens_at_its_page(subscribe: Subscribe) -> None:
    """Cancel, another card and another plan; when it is done, the customer is led back."""
    subscriber = await subscribe()
    mine = {"subscription": subscriber.id}
    for kind, members in (
        ("payment_method_update", {}),
        ("subscription_cancel", mine),
        ("subscription_update", mine),
    ):
        session = await _open(subscriber, flow={"type": kind, **members})
        assert session["customer"] == (await subscriber.read())["customer"]
        flow = session["flow"]
        assert flow["type"] == kind
        assert flow["after_completion"]["redirect"] == {"return_url": _RETURN}
        assert (flow.get(kind) or mine)["subscription"] == subscriber.id


async def test_a_plan_can_be_chosen_beforehand(subscribe: Subscribe) -> None:
    """The page to confirm names the very price and quantity; the catalogue decides if it may be."""
    subscriber = await subscribe()
    flow = {"type": "subscription_update_confirm", "subscription": subscriber.id}
    session = await _open(subscriber, flow=flow | {"price": "pro_yearly", "quantity": 2})
    [item] = session["flow"]["subscription_update_confirm"]["items"]
    body = await subscriber.read()
    assert item["id"] == body["items"]["data"][0]["id"]
    assert item["quantity"] == 2
    assert item["price"] != body["items"]["data"][0]["price"]["id"]

    for price in ("lifetime", "nothing"):
        body = {"return_url": _RETURN, "flow": flow | {"price": price}}
        answer = await subscriber.shop.post("/portal", subscriber.user, body)
        assert "price" in read_problem(answer, 400, "invalid-request")["data"]
    body = {"return_url": _RETURN, "flow": flow | {"price": "pro_monthly"}}
    answer = await subscriber.shop.post("/portal", subscriber.user, body)
    read_problem(answer, 409, "conflict")


@pytest.mark.parametrize(
    "kind", ["subscription_cancel", "subscription_update", "subscription_update_confirm"]
)
async def test_no_flow_opens_anothers_subscription(kind: str, subscribe: Subscribe) -> None:
    """A foreign id and one that never was are the same 404; no session is made."""
    subscriber, other = await subscribe(), await subscribe()
    before = await subscriber.account.count("billing_portal.session")
    problems = []
    for name in (other.id, "sub_never", "' OR 1=1 --", "../customers"):
        flow = {"type": kind, "subscription": name}
        if kind == "subscription_update_confirm":
            flow["price"] = "pro_yearly"
        body = {"return_url": _RETURN, "flow": flow}
        answer = await subscriber.shop.post("/portal", subscriber.user, body)
        problems.append(read_problem(answer, 404, "no-subscription"))
    assert all(problem == problems[0] for problem in problems)
    assert await subscriber.account.count("billing_portal.session") == before


async def test_a_flow_leads_back_to_the_frontend_only(subscribe: Subscribe) -> None:
    """No address outside the allow-list gets to Stripe with a flow either."""
    subscriber = await subscribe()
    flow = {"type": "payment_method_update"}
    for url in (url for url in EVIL if 0 < len(url) <= 2000):
        body = {"return_url": url, "flow": flow}
        answer = await subscriber.shop.post("/portal", subscriber.user, body)
        document = read_problem(answer, 400, "invalid-request")
        assert document["data"]["return_url"]["code"] == "redirect_not_allowed", url


@pytest.mark.parametrize(
    "flow",
    [
        {"type": "subscription_cancel"},
        {"type": "payment_method_update", "subscription": "sub_1"},
        {"type": "subscription_cancel", "subscription": ["sub_1"]},
        {"type": "login"},
        {"type": "payment_method_update", "after_completion": {"type": "redirect"}},
        "subscription_cancel",
    ],
)
async def test_a_wrong_flow_is_refused(flow: Any, subscribe: Subscribe) -> None:
    """Each flow has just its own members."""
    subscriber = await subscribe()
    body = {"return_url": _RETURN, "flow": flow}
    answer = await subscriber.shop.post("/portal", subscriber.user, body)
    read_problem(answer, 400, "invalid-request")


async def test_configurations_are_the_sellers(
    subscribe: Subscribe, start_gateway: Callable[..., GatewayProcess]
) -> None:
    """The settings' first is the default, a request may name another of them, and no others."""
    subscriber = await subscribe()
    account = subscriber.account
    features = {"features[payment_method_update][enabled]": "true"}
    made = [await account.create("billing_portal/configurations", **features) for _ in range(3)]
    first, second, third = (each["id"] for each in made)
    url = start_gateway(GATEWAY_PORTAL_CONFIGURATIONS=f"{first}, {second}").url
    there = subscriber.at(url)
    assert (await _open(there))["configuration"] == first
    assert (await _open(there, configuration=second))["configuration"] == second
    body = {"return_url": _RETURN, "configuration": third}
    for shop in (there.shop, subscriber.shop):
        document = read_problem(await shop.post("/portal", subscriber.user, body), 400)
        assert document["data"]["configuration"]["code"] == "configuration_not_allowed"
