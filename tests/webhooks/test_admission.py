"""How much the webhook endpoint holds at once, and what it does with the rest."""

import asyncio
import itertools
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import pytest

from gateway.dev.stack import Stack
from gateway.errors import Overloaded
from gateway.http.body_admission import MAX_TOTAL_BYTES, Admission
from tests.delivery import Sender, build_event, build_subscription
from tests.problem import read_problem


@pytest.fixture
def own(fresh_stack: Callable[..., Stack]) -> Stack:
    """PocketBase and a gateway for two waiting deliveries, without the simulator."""
    made = fresh_stack(start=False, GATEWAY_MAX_WAITING_EVENTS="2")
    made.pocketbase.copy_migrated()
    made.pocketbase.ensure_superuser()
    for part in (made.pocketbase, made.gateway):
        part.start()
        part.wait_healthy()
    return made


def test_no_more_deliveries_are_let_in_than_there_are_places() -> None:
    """The one too many is refused at once, and let in when another has left."""
    admission = Admission(max_requests=1)
    with admission.admit() as first:
        first.keep()
        with pytest.raises(Overloaded), admission.admit():
            pass
    with admission.admit():
        pass


def test_bodies_together_have_a_limit() -> None:
    """A body that outgrows the room is refused, and gives back what it took."""
    admission = Admission(max_requests=2, max_bytes=10)
    with admission.admit() as first:
        first.add(b"123456")
        first.keep()
        with admission.admit() as second:
            second.add(b"1234")
            with pytest.raises(Overloaded):
                second.add(b"5")
        with admission.admit() as third:
            third.add(b"1234")
    with admission.admit() as fourth:
        fourth.add(b"1234567890")


def test_the_largest_bodies_fit() -> None:
    """Two bodies of the largest size fit at once, also if one exceeds the usual total."""
    admission = Admission.of(max_requests=2, max_body_bytes=MAX_TOTAL_BYTES + 1)
    body = bytes(MAX_TOTAL_BYTES + 1)
    with admission.admit() as first, admission.admit() as second:
        first.add(body)
        first.keep()
        second.add(body)
        assert len(second.keep()) == len(body)


def test_who_still_arrives_gives_way() -> None:
    """For a place or for room the oldest unfinished body is dropped, and can't go on."""
    admission = Admission(max_requests=2, max_bytes=10)
    with admission.admit() as slow, admission.admit() as slower:
        slow.add(b"12345")
        slower.add(b"12345")
        with admission.admit() as quick:
            assert (slow.body, slower.body) == (b"", b"12345")
            quick.add(b"123456")
            assert quick.keep() == b"123456"
            assert slower.body == b""
            for dismissed in (slow, slower):
                with pytest.raises(Overloaded):
                    dismissed.add(b"1")
            with admission.admit() as last:
                last.add(b"1234")
                with pytest.raises(Overloaded):
                    last.add(b"5")
    with admission.admit() as one, admission.admit() as two:
        one.add(b"12345")
        two.add(b"12345")
        assert (one.keep(), two.keep()) == (b"12345", b"12345")


async def test_slow_strangers_keep_nobody_out(own: Stack, http: httpx.AsyncClient) -> None:
    """With all places held by bodies that do not end, a signed delivery is stored at once."""
    sender = Sender(http, own.gateway.url, own.plan.stripe.webhook_secrets[0])
    address = urlsplit(own.gateway.url)
    head = b"POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"
    strangers = []
    for _ in range(5):
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(head)
        await writer.drain()
        strangers.append((reader, writer))
    async with asyncio.timeout(5):
        event = build_event("some.type", {"id": "x_1", "object": "x"})
        assert (await sender.send(event)).status_code == 200
        # A delivery that gave way continues with an error.
        reader, writer = strangers[0]
        writer.write(b"}")
        assert (await reader.readline()).startswith(b"HTTP/1.1 503")
    for _, writer in strangers:
        writer.close()


async def test_deliveries_beyond_the_limit_are_refused_at_once(
    own: Stack, http: httpx.AsyncClient
) -> None:
    """With PocketBase frozen two wait and the others hear 503 and when to come again."""
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
