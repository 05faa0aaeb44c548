"""Nested lists show ten entries in events and answers, and page where their `url` says."""

from typing import Any

import pytest

from stripe_simulator.http.api import Api
from stripe_simulator.snapshots import JSON
from tests.simulator.served import Running
from tests.simulator.test_subscriptions import Shop


@pytest.fixture
def api() -> Api:
    """The API of an account with a customer that has twelve of everything."""
    shop = Shop()
    [product] = shop.world.all("product")
    items = [{"price": shop.price(product, amount, "month")} for amount in range(100, 112)]
    shop.post("subscriptions", customer=shop.customer, items=items)
    return Api(shop.world)


def _only(api: Api, kind: str) -> str:
    [found] = api.world.all(kind)
    return str(found)


def _follow(api: Api, nested: JSON) -> list[JSON]:
    path, _, query = nested["url"].partition("?")
    params: JSON = dict(pair.split("=") for pair in query.split("&") if pair)
    found: list[JSON] = nested["data"]
    page = api.call("GET", path, params | {"starting_after": found[-1]["id"]})
    return [*found, *page["data"]]


@pytest.mark.parametrize(
    ("kind", "path", "name"),
    [("subscription", "subscriptions", "items"), ("invoice", "invoices", "lines")],
)
def test_an_answer_shows_ten(api: Api, kind: str, path: str, name: str) -> None:
    """The object, a list of such objects and each event show ten; the rest is at `url`."""
    id = _only(api, kind)
    shown = api.call("GET", f"/v1/{path}/{id}")
    [listed] = api.call("GET", f"/v1/{path}")["data"]
    events = [e["data"]["object"] for e in api.world.events if e["data"]["object"].get("id") == id]
    for each in (shown, listed, *events):
        nested: Any = each[name]
        assert (len(nested["data"]), nested["has_more"], nested["total_count"]) == (10, True, 12)
    assert len({entry["id"] for entry in _follow(api, shown[name])}) == 12
    assert len(api.world.get(kind, id)[name]["data"]) == 12


def test_expanded_lists_are_cut_as_well(api: Api) -> None:
    """Refunds of a charge, and the lines of an expanded invoice."""
    [charge] = api.world.all("charge")
    for _ in range(11):
        api.call("POST", "/v1/refunds", {"charge": charge, "amount": 1})
    refunds = api.call("GET", f"/v1/charges/{charge}", {"expand": ["refunds"]})["refunds"]
    assert (len(refunds["data"]), refunds["has_more"]) == (10, True)
    assert len({refund["id"] for refund in _follow(api, refunds)}) == 11
    path = f"/v1/subscriptions/{_only(api, 'subscription')}"
    invoice = api.call("GET", path, {"expand": ["latest_invoice"]})["latest_invoice"]
    assert (len(invoice["lines"]["data"]), invoice["lines"]["has_more"]) == (10, True)


def test_a_preview_is_cut_as_well(api: Api) -> None:
    """Its lines page under the preview's own id."""
    params = {"subscription": _only(api, "subscription")}
    preview = api.call("POST", "/v1/invoices/create_preview", params)
    assert (len(preview["lines"]["data"]), preview["lines"]["has_more"]) == (10, True)
    assert len({line["id"] for line in _follow(api, preview["lines"])}) == 12


async def test_the_contract_knows_long_lists(running: Running) -> None:
    """Requests, answers and events with long lists break no schema of Stripe's."""
    recurring = {"interval": "month"}
    product = await running.sdk.v1.products.create_async({"name": "Many"})
    prices = [
        await running.sdk.v1.prices.create_async(
            {"product": product.id, "currency": "usd", "recurring": recurring, "unit_amount": 1}  # type: ignore[typeddict-item]
        )
        for _ in range(11)
    ]
    customer = await running.sdk.v1.customers.create_async({"payment_method": "pm_card_visa"})
    subscription = await running.sdk.v1.subscriptions.create_async(
        {
            "customer": customer.id,
            "items": [{"price": price.id} for price in prices],
            "collection_method": "send_invoice",
            "days_until_due": 9,
        }
    )
    items = subscription["items"]
    assert items["has_more"]
    assert len([item async for item in items.auto_paging_iter()]) == 11
    assert running.simulator.violations == []
