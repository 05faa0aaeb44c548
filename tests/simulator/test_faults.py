"""Faults of the API: slow, refused, cut off before or after it acted."""

import asyncio

import httpx
import pytest
import stripe

from tests.simulator.served import Running
from tests.simulator.test_api import AUTHORIZED


async def create(running: Running, key: str) -> httpx.Response:
    """Create a customer under an idempotency key."""
    headers = AUTHORIZED | {"Idempotency-Key": key}
    return await running.http.post("/v1/customers", content="name=A", headers=headers)


async def test_too_many_requests_carry_retry_after(running: Running) -> None:
    """A 429 is not stored with the key: the next try acts."""
    await running.control("faults", status=429, retry_after=2, path="/v1/customers")
    refused = await create(running, "k")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
    assert (await create(running, "k")).status_code == 200


async def test_a_connection_cut_before_acting_leaves_nothing(running: Running) -> None:
    """The caller sees a broken connection; nothing was made."""
    await running.control("faults", reset="before", method="POST", path="/v1/customers")
    with pytest.raises(httpx.TransportError):
        await create(running, "k")
    assert running.simulator.world.all("customer") == {}
    assert (await create(running, "k")).status_code == 200


async def test_a_connection_cut_after_acting_is_healed_by_the_key(running: Running) -> None:
    """The object was made; the same key gives it instead of making a second one."""
    await running.control("faults", reset="after", method="POST", path="/v1/customers")
    with pytest.raises(httpx.TransportError):
        await create(running, "k")
    (made,) = running.simulator.world.all("customer")
    assert (await create(running, "k")).json()["id"] == made
    assert len(running.simulator.world.all("customer")) == 1


async def test_the_sdk_sees_a_cut_connection_as_its_own_error(running: Running) -> None:
    """Stripe's SDK raises APIConnectionError."""
    await running.control("faults", reset="before", path="/v1/customers")
    with pytest.raises(stripe.APIConnectionError):
        await running.sdk.v1.customers.list_async()


async def test_a_key_in_use_is_a_conflict(running: Running) -> None:
    """While a request with a key is under way, another one with it gets a 409."""
    await running.control("faults", delay_ms=300, path="/v1/customers")
    first = asyncio.create_task(create(running, "k"))
    in_use = running.simulator.api.idempotency.in_use
    async with asyncio.timeout(5):
        while not in_use:  # noqa: ASYNC110 - the simulator has nothing to wait for here
            await asyncio.sleep(0.001)
    second = await create(running, "k")
    assert second.status_code == 409
    assert second.json()["error"]["code"] == "idempotency_key_in_use"
    assert (await first).status_code == 200


async def test_rules_count_and_can_be_taken_back(running: Running) -> None:
    """A rule holds `times` requests; DELETE takes all rules back."""
    await running.control("faults", status=503, times=2, path="/v1/customers")
    assert (await create(running, "a")).status_code == 503
    await running.http.delete("/_simulator/faults")
    assert (await running.http.get("/_simulator/faults")).json() == []
    assert (await create(running, "b")).status_code == 200
