"""How much the webhook endpoint holds at once, and what it does with the rest."""

import asyncio
import itertools
from collections.abc import Callable

import httpx
import pytest

from gateway.errors import Overloaded
from gateway.webhooks.admission import Admission
from stack.stack import Stack
from tests.delivery import Sender, build_event, build_subscription
from tests.problem import read_problem


def test_no_more_deliveries_are_let_in_than_there_are_places() -> None:
    """The one too many is refused at once, and let in when another has left."""
    admission = Admission(deliveries=1)
    with admission.admit(), pytest.raises(Overloaded), admission.admit():
        pass
    with admission.admit():
        pass


def test_bodies_together_have_a_limit() -> None:
    """A body that outgrows the room is refused, and gives back what it took."""
    admission = Admission(deliveries=2, room=10)
    with admission.admit() as first:
        first.grow(6)
        with admission.admit() as second:
            second.grow(4)
            with pytest.raises(Overloaded):
                second.grow(1)
        with admission.admit() as third:
            third.grow(4)
    with admission.admit() as fourth:
        fourth.grow(10)


async def test_deliveries_beyond_the_limit_are_refused_at_once(
    fresh_stack: Callable[..., Stack], http: httpx.AsyncClient
) -> None:
    """With PocketBase frozen two wait and the others hear 503 and when to come again."""
    own = fresh_stack(start=False, GATEWAY_MAX_WAITING_EVENTS="2")
    own.pocketbase.ensure_superuser()
    for part in (own.pocketbase, own.gateway):
        part.start()
        part.wait_healthy()
    sender = Sender(http, own.gateway.url, own.plan.stripe.webhook_secrets[0])
    subscription = build_subscription("cus_crowd")
    events = [build_event("customer.subscription.updated", subscription) for _ in range(6)]
    await sender.send(events[0])
    own.pocketbase.pause()
    sent = [asyncio.create_task(sender.send(event)) for event in events[1:]]
    refused = [await answer for answer in itertools.islice(asyncio.as_completed(sent), 3)]
    assert all(read_problem(answer, 503, "overloaded") for answer in refused)
    assert all(answer.headers["Retry-After"] == "1" for answer in refused)
    own.pocketbase.resume()
    answers = await asyncio.gather(*sent)
    assert sorted(answer.status_code for answer in answers) == [200, 200, 503, 503, 503]
