"""A large simulated account: its copies are listed, changed and deleted as objects of their own."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from stripe_simulator import large_account
from stripe_simulator.errors import StripeError
from stripe_simulator.http.api import Api
from stripe_simulator.resources.events import RETENTION
from stripe_simulator.world import World
from tests.simulator.served import Running

Json = dict[str, Any]


def _fill(objects: int, events: int = 0) -> Api:
    world = World()
    large_account.fill(world, objects, events)
    return Api(world)


def _pages(api: Api, path: str, **params: Any) -> Iterator[list[Json]]:
    after: Json = {}
    while True:
        page = api.call("GET", f"/v1/{path}", {"limit": 100, **params, **after})
        yield page["data"]
        if not page["has_more"]:
            return
        after = {"starting_after": page["data"][-1]["id"]}


def test_lists_show_each_copy_once_newest_first() -> None:
    """Pages follow each other without gaps, also with a bound on the time of creation."""
    api = _fill(3_000, 2_000)
    for path in ("customers", "invoices", "events"):
        found = [item for page in _pages(api, path) for item in page]
        assert len({item["id"] for item in found}) == len(found)
        times = [item["created"] for item in found]
        assert times == sorted(times, reverse=True)
        bound = times[len(times) // 2]
        newer = [i for page in _pages(api, path, created={"gte": bound}) for i in page]
        assert newer == [item for item in found if item["created"] >= bound]
    assert len(found) >= 2_000
    assert found[-1]["created"] > api.world.now - RETENTION


def test_copies_refer_to_each_other() -> None:
    """A copied subscription belongs to a copied customer, who has an address and a card."""
    api = _fill(1_000)
    subscription = list(_pages(api, "subscriptions"))[-1][-1]
    customer = api.call("GET", f"/v1/customers/{subscription['customer']}")
    [card] = api.call("GET", f"/v1/customers/{customer['id']}/payment_methods")["data"]
    assert card["id"] == subscription["default_payment_method"]
    assert customer["email"] != api.world.all("customer")[customer["id"][:-6]]["email"]


def test_changes_of_a_copy_last() -> None:
    """A copy that is updated or deleted stays so in lists and reads."""
    api = _fill(1_000)
    *_, last, gone = list(_pages(api, "customers"))[-1]
    api.call("POST", f"/v1/customers/{last['id']}", {"name": "Changed"})
    api.call("DELETE", f"/v1/customers/{gone['id']}")
    found = {item["id"]: item for page in _pages(api, "customers") for item in page}
    assert found[last["id"]]["name"] == "Changed"
    assert gone["id"] not in found
    assert api.call("GET", f"/v1/customers/{gone['id']}")["deleted"]
    with pytest.raises(StripeError):
        api.call("GET", "/v1/customers", {"starting_after": gone["id"]})


async def test_rate_limit_answers_as_stripe_does(running: Running) -> None:
    """Requests above the limit get 429 with the limit's name, and nothing happens."""
    key = {"Authorization": "Bearer sk_test_123456789012"}
    await running.control("rate_limit", per_second=1)
    reads = (running.http.get("/v1/products", headers=key) for _ in range(20))
    answers = await asyncio.gather(*reads)
    await running.control("rate_limit", per_second=None)
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 0 < len(refused) < len(answers)
    assert refused[0].headers["Stripe-Rate-Limited-Reason"] == "global-rate"
    assert refused[0].json()["error"]["code"] == "rate_limit"
    assert (await running.http.get("/v1/products", headers=key)).status_code == 200
