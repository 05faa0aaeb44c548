"""Stripe slow, refusing, broken off before or after it acted: nothing is charged twice."""

from collections.abc import Callable

import pytest

from gateway.dev.gateway_process import GatewayProcess
from tests.billing.conftest import MakeFault, Subscribe
from tests.billing.subscriber import Subscriber
from tests.problem import read_problem


async def _assert_changed_once(subscriber: Subscriber) -> None:
    assert (await subscriber.read())["items"]["data"][0]["quantity"] == 7
    assert (await subscriber.read_row())["quantity"] == 7
    assert len(await subscriber.list_invoices()) == 2


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_connection_that_breaks_is_made_again(
    when: str, subscribe: Subscribe, faults: MakeFault
) -> None:
    """Whether Stripe had acted or not, the change is made and charged once."""
    subscriber = await subscribe()
    await faults(f"/v1/subscriptions/{subscriber.id}", reset=when, times=2)
    await subscriber.do("change", quantity=7)
    await _assert_changed_once(subscriber)


async def test_what_was_done_while_nobody_listened_is_done_once(
    subscribe: Subscribe, faults: MakeFault, start_gateway: Callable[..., GatewayProcess]
) -> None:
    """Stripe acts and stays silent: the answer may be a 503, but asking again charges nothing."""
    subscriber = (await subscribe()).at(start_gateway(GATEWAY_UPSTREAM_TIMEOUT="0.5").url)
    path = f"/v1/subscriptions/{subscriber.id}"
    await faults(path, reset="after", hang_ms=1500, times=3)
    answer = await subscriber.ask("change", quantity=7)
    if answer.status_code != 200:
        assert int(answer.headers["retry-after"]) > 0
        read_problem(answer, answer.status_code)
        assert answer.status_code in (502, 503, 504)
    await subscriber.account.clear_faults()
    await subscriber.do("change", quantity=7)
    await _assert_changed_once(subscriber)


@pytest.mark.parametrize("key", ["", "click"])
async def test_a_failure_that_stripe_keeps_is_overcome(
    key: str, subscribe: Subscribe, faults: MakeFault
) -> None:
    """A 500 is kept with its key for a day: the change is made under another, once."""
    subscriber = await subscribe()
    await faults(f"/v1/subscriptions/{subscriber.id}", status=500)
    await subscriber.do("change", quantity=7, key=key)
    await _assert_changed_once(subscriber)


@pytest.mark.parametrize("status", [400, 402])
async def test_a_refusal_that_stripe_keeps_is_overcome(
    status: int, subscribe: Subscribe, faults: MakeFault
) -> None:
    """A refusal, or a card's, is kept with its key for a day: once mended, the same key works."""
    subscriber = await subscribe()
    await faults(f"/v1/subscriptions/{subscriber.id}", status=status)
    refused = await subscriber.ask("change", quantity=7, key="click")
    read_problem(refused, 409 if status == 400 else 402)
    await subscriber.do("change", quantity=7, key="click")
    await _assert_changed_once(subscriber)


@pytest.mark.parametrize(("method", "what"), [("POST", "change"), ("GET", "cancel")])
@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_stripe_that_is_down_is_told_apart(
    method: str, what: str, status: int, subscribe: Subscribe, faults: MakeFault
) -> None:
    """The answer says when to try again; nothing has changed, and later it works."""
    subscriber = await subscribe()
    before = await subscriber.read()
    path = f"/v1/subscriptions/{subscriber.id}"
    await faults(path, method=method, status=status, times=20)
    body = {"quantity": 7} if what == "change" else {}
    answer = await subscriber.ask(what, **body, key="first")
    read_problem(answer, 503 if status == 429 else 502)
    assert int(answer.headers["retry-after"]) > 0
    await subscriber.account.clear_faults()
    assert await subscriber.read() == before
    await subscriber.do(what, **body, key="second")


async def test_a_preview_survives_a_broken_connection(
    subscribe: Subscribe, faults: MakeFault
) -> None:
    """A preview, which changes nothing, is asked for again as well."""
    subscriber = await subscribe()
    await faults("/v1/invoices/create_preview", reset="after")
    assert (await subscriber.do("preview", quantity=2))["due_now"] > 0
