"""The API's manners: keys, errors, pages of lists, expansion, idempotency, dates."""

from typing import Any

import pytest
import stripe

from tests.simulator.served import KEY, Running, stripe_sdk

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
AUTHORIZED = FORM | {"Authorization": f"Bearer {KEY}"}


@pytest.mark.parametrize("key", [None, "Bearer sk_live_1", "Bearer nonsense", "Basic c2tfbGl2ZTo="])
async def test_a_bad_key_is_a_401(running: Running, key: str | None) -> None:
    """Without a test key nothing is answered."""
    headers = {"Authorization": key} if key else {}
    answer = await running.http.get("/v1/customers", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_one_chosen_key_excludes_all_others(running: Running) -> None:
    """With an API key of its own the simulator takes no other."""
    running.simulator.api.api_key = "sk_test_chosen"
    with pytest.raises(stripe.AuthenticationError):
        await running.sdk.v1.customers.list_async()
    async with stripe_sdk(running.base, "sk_test_chosen") as sdk:
        assert (await sdk.v1.customers.list_async()).data == []


async def test_an_unknown_id_is_a_404_in_stripes_words(running: Running) -> None:
    """A missing object names itself, its parameter and its code."""
    with pytest.raises(stripe.InvalidRequestError) as raised:
        await running.sdk.v1.customers.retrieve_async("cus_none")
    assert raised.value.http_status == 404
    assert raised.value.code == "resource_missing"
    assert "No such customer: 'cus_none'" in str(raised.value)


async def test_an_unknown_address_is_a_404(running: Running) -> None:
    """A path that Stripe does not have gets 404."""
    answer = await running.http.get("/v1/nothing/here", headers=AUTHORIZED)
    assert answer.status_code == 404


async def test_a_deleted_customer_says_so(running: Running) -> None:
    """Deletion leaves `deleted: true`, and an event with the whole customer."""
    customer = await running.sdk.v1.customers.create_async({"email": "a@shop.test"})
    await running.sdk.v1.customers.delete_async(customer.id)
    found = await running.sdk.v1.customers.retrieve_async(customer.id)
    assert found.deleted
    last = running.simulator.world.events[-1]
    assert (last["type"], last["data"]["object"]["email"]) == ("customer.deleted", "a@shop.test")


async def test_lists_come_newest_first_in_pages(running: Running) -> None:
    """limit, starting_after and ending_before cut a list; has_more tells of the rest."""
    made = [(await running.sdk.v1.customers.create_async({"name": str(n)})).id for n in range(5)][
        ::-1
    ]
    first = await running.sdk.v1.customers.list_async({"limit": 2})
    assert ([c.id for c in first.data], first.has_more) == (made[:2], True)
    rest = await running.sdk.v1.customers.list_async({"limit": 3, "starting_after": made[1]})
    assert ([c.id for c in rest.data], rest.has_more) == (made[2:], False)
    back = await running.sdk.v1.customers.list_async({"limit": 2, "ending_before": made[3]})
    assert ([c.id for c in back.data], back.has_more) == (made[1:3], True)
    walked = [c.id async for c in first.auto_paging_iter()]
    assert walked == made


async def test_lists_are_filtered(running: Running) -> None:
    """email, created, type and types choose."""
    await running.sdk.v1.customers.create_async({"email": "a@shop.test"})
    await running.control("clock/advance", seconds=100)
    late = await running.sdk.v1.customers.create_async({"email": "b@shop.test"})
    now = running.simulator.world.now
    found = await running.sdk.v1.customers.list_async({"email": "b@shop.test"})
    assert [c.id for c in found.data] == [late.id]
    found = await running.sdk.v1.customers.list_async({"created": {"gte": now}})
    assert [c.id for c in found.data] == [late.id]
    events = await running.sdk.v1.events.list_async(
        {"types": ["customer.created", "customer.updated"], "created": {"lt": now}}
    )
    assert [event.data.object["email"] for event in events.data] == ["a@shop.test"]


async def test_expansion_puts_objects_in_the_place_of_ids(running: Running) -> None:
    """Expanded objects are in the response only; four levels are the maximum."""
    prices = await running.sdk.v1.prices.list_async({"expand": ["data.product"]})
    product: Any = prices.data[0].product
    assert product.name in ("Pro", "Lifetime")
    plain = await running.sdk.v1.prices.retrieve_async(prices.data[0].id)
    assert plain.product == product.id
    with pytest.raises(stripe.InvalidRequestError):
        await running.sdk.v1.prices.retrieve_async(plain.id, {"expand": ["a.b.c.d.e"]})


async def test_a_repeated_key_replays_the_answer(running: Running) -> None:
    """The same key and parameters make nothing new; the answer says that it is a replay."""
    headers = AUTHORIZED | {"Idempotency-Key": "once"}
    first = await running.http.post("/v1/customers", content="name=A", headers=headers)
    again = await running.http.post("/v1/customers", content="name=A", headers=headers)
    assert first.json() == again.json()
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["request-id"] == first.headers["request-id"]
    assert len(running.simulator.world.all("customer")) == 1


async def test_a_key_with_other_parameters_is_refused(running: Running) -> None:
    """The same key with another body is Stripe's idempotency_error."""
    headers = AUTHORIZED | {"Idempotency-Key": "once"}
    await running.http.post("/v1/customers", content="name=A", headers=headers)
    other = await running.http.post("/v1/customers", content="name=B", headers=headers)
    assert other.status_code == 400
    assert other.json()["error"]["type"] == "idempotency_error"


async def test_errors_are_replayed_too(running: Running) -> None:
    """A 500 is stored with its key: the same key gives it again."""
    await running.control("faults", status=500, path="/v1/customers")
    headers = AUTHORIZED | {"Idempotency-Key": "unlucky"}
    first = await running.http.post("/v1/customers", content="name=A", headers=headers)
    again = await running.http.post("/v1/customers", content="name=A", headers=headers)
    assert (first.status_code, again.status_code) == (500, 500)
    assert again.headers["idempotent-replayed"] == "true"
    assert running.simulator.world.all("customer") == {}


async def test_the_date_is_the_simulated_one(running: Running) -> None:
    """The Date header tells the simulated time, once."""
    await running.control("clock/advance", to=1_900_000_000)
    answer = await running.http.get("/v1/customers", headers=AUTHORIZED)
    assert answer.headers.get_list("date") == ["Sun, 17 Mar 2030 17:46:40 GMT"]
    assert answer.headers["request-id"].startswith("req_")


async def test_an_event_names_its_request(running: Running) -> None:
    """Events tell the request and the idempotency key that caused them."""
    headers = AUTHORIZED | {"Idempotency-Key": "k1"}
    answer = await running.http.post("/v1/customers", content="name=A", headers=headers)
    request = running.simulator.world.events[-1]["request"]
    assert request == {"id": answer.headers["request-id"], "idempotency_key": "k1"}


async def test_search_finds_customers_by_metadata(running: Running) -> None:
    """The search address takes field and metadata clauses."""
    await running.sdk.v1.customers.create_async({"metadata": {"user": "1"}})
    wanted = await running.sdk.v1.customers.create_async({"metadata": {"user": "2"}})
    found = await running.sdk.v1.customers.search_async({"query": "metadata['user']:'2'"})
    assert [customer.id for customer in found.data] == [wanted.id]
