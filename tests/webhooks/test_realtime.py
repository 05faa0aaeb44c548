"""Realtime subscriptions and hooks that run after the commit do not hold up deliveries."""

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from gateway.dev.pocketbase import ROOT
from gateway.dev.stack import Stack
from tests.delivery import Sender, build_customer, build_event, build_subscription
from tests.frontend import Feed, Frontend, User
from tests.pocketbase_alone import start_alone

OPTIONS = '?options={{"query":{{"filter":"id != {}"}}}}'


def _topics(topic: str, number: int) -> list[str]:
    """Subscriptions that PocketBase evaluates one by one."""
    return [topic + OPTIONS.format(f"'x{i}'") for i in range(number)]


@asynccontextmanager
async def _subscribe_often(
    frontend: Frontend, connections: int, topics: list[str], token: str = ""
) -> AsyncIterator[list[Feed]]:
    """Open connections as long as their subscriptions are taken."""
    async with AsyncExitStack() as ends:
        feeds = []
        for _ in range(connections):
            with suppress(httpx.HTTPStatusError):
                subscription = frontend.subscribe(*topics, token=token)
                feeds.append(await ends.enter_async_context(subscription))
        yield feeds


async def test_one_connection_has_a_limited_number_of_subscriptions(frontend: Frontend) -> None:
    """101 subscriptions are refused with the reason, 100 are taken."""
    topics = [f"products/id{i}" for i in range(101)]
    with pytest.raises(httpx.HTTPStatusError) as refused:
        async with frontend.subscribe(*topics):
            pass
    assert refused.value.response.status_code == 400
    error = refused.value.response.json()["data"]["subscriptions"]
    assert error["code"] == "validation_too_many_subscriptions"
    assert "100" in error["message"]
    async with frontend.subscribe(*topics[:100]):
        pass


@pytest.mark.parametrize("topic", ["products/*", "products", "prices/abc"])
async def test_one_topic_is_not_subscribed_to_with_many_options(
    frontend: Frontend, topic: str
) -> None:
    """The same topic with 11 different options is refused, with 10 it is taken."""
    with pytest.raises(httpx.HTTPStatusError):
        async with frontend.subscribe(*_topics(topic, 11)):
            pass
    async with frontend.subscribe(*_topics(topic, 10)):
        pass


async def test_many_connections_of_a_user_share_a_limit(frontend: Frontend) -> None:
    """A user's fourth connection of 100 subscriptions is refused; another user's is taken."""
    user, other = await frontend.sign_up(), await frontend.sign_up()
    topics = [f"subscriptions/id{i}" for i in range(100)]
    async with _subscribe_often(frontend, 5, topics, user.token) as feeds:
        assert len(feeds) == 3
        async with frontend.subscribe(*topics, token=other.token):
            pass
    async with _subscribe_often(frontend, 1, topics, user.token) as feeds:
        assert len(feeds) == 1


async def test_guests_of_one_address_share_a_limit(
    fresh_stack: Callable[..., Stack],
) -> None:
    """Connections of guests have a number of subscriptions together, as it is set."""
    own = fresh_stack(start=False)
    own.pocketbase.env["GATEWAY_REALTIME_SUBSCRIPTIONS_PER_ADDRESS"] = "150"
    start_alone(own.pocketbase)
    topics = [f"products/id{i}" for i in range(100)]
    async with (
        Frontend(own.pocketbase.url) as frontend,
        _subscribe_often(frontend, 3, topics) as feeds,
    ):
        assert len(feeds) == 1
        user = await frontend.sign_up()
        async with frontend.subscribe("subscriptions/*", token=user.token):
            pass


async def test_subscriptions_of_guests_and_users_do_not_hold_up_deliveries(
    fresh_stack: Callable[..., Stack], http: httpx.AsyncClient
) -> None:
    """With all that a guest and users may subscribe to, a delivery is answered at once."""
    own = fresh_stack()
    sender = Sender(http, own.gateway.url, own.plan.stripe.webhook_secrets[0])
    async with Frontend(own.pocketbase.url) as frontend, AsyncExitStack() as ends:
        for topic in ("customers/*", "subscriptions/*", "customers", "products/*"):
            for number in (1000, 10):
                some = _subscribe_often(frontend, 5, _topics(topic, number))
                await ends.enter_async_context(some)
        users = [await frontend.sign_up() for _ in range(8)]
        wanted = [each for name in ("customers", "subscriptions") for each in _topics(name, 10)]
        for each in users:
            await ends.enter_async_context(_subscribe_often(frontend, 9, wanted, each.token))
        took = [await _deliver(sender, user) for user in users[:4]]
    assert max(took) < 2, took


async def _deliver(sender: Sender, user: User) -> float:
    """Return the seconds that the deliveries of a customer and a subscription take."""
    customer = build_customer(user.id)
    started = time.perf_counter()
    for type, item in (
        ("customer.created", customer),
        ("customer.subscription.created", build_subscription(customer["id"])),
    ):
        answer = await sender.send(build_event(type, item))
        assert answer.json()["outcome"] == "applied"
    return time.perf_counter() - started


async def test_an_answer_before_realtime_still_reaches_the_owner(
    frontend: Frontend, sender: Sender
) -> None:
    """Owners see their rows live, guests and others do not; each delivery is one answer."""
    user, other = await frontend.sign_up(), await frontend.sign_up()
    async with (
        frontend.subscribe("subscriptions/*") as guest,
        frontend.subscribe("subscriptions/*", token=other.token) as stranger,
        frontend.subscribe("subscriptions/*", token=user.token) as feed,
    ):
        for _ in range(5):
            await _deliver(sender, user)
        for _ in range(5):
            await feed.next(lambda change: change.action == "create")
        assert (guest.seen, stranger.seen) == ([], [])


async def test_states_of_a_row_are_published_in_their_order(
    frontend: Frontend, sender: Sender
) -> None:
    """However long publishing takes, a subscriber's last event is the row's last state."""
    user = await frontend.sign_up()
    crowd = [each for name in ("subscriptions", "subscriptions/*") for each in _topics(name, 10)]
    customer = build_customer(user.id)
    await sender.send(build_event("customer.created", customer))
    subscription = build_subscription(customer["id"])
    begun = int(time.time())
    statuses = ["active", "past_due", "unpaid", "active", "past_due", "active", "past_due"]
    async with (
        _subscribe_often(frontend, 15, crowd, user.token),
        frontend.subscribe("subscriptions/*", token=(await _impersonate(frontend, user))) as feed,
    ):
        for i, status in enumerate(statuses):
            changed = subscription | {"status": status}
            event = build_event("customer.subscription.updated", changed, created=begun + i)
            assert (await sender.send(event)).json()["outcome"] == "applied"
        for _ in statuses:
            await feed.next()
        assert [change.record["status"] for change in feed.seen] == statuses


async def _impersonate(frontend: Frontend, user: User) -> str:
    """Another token of the same user."""
    return await frontend.log_in(user.email, user.password)


async def test_a_guest_who_signs_in_gets_what_they_subscribed_to(
    frontend: Frontend, sender: Sender
) -> None:
    """The SDK sends its topics again after the sign-in, and the owner's rows arrive."""
    user = await frontend.sign_up()
    async with frontend.http.stream("GET", "/api/realtime", timeout=None) as stream:
        lines = stream.aiter_lines()
        client_id = ""
        while not client_id:
            line = await anext(lines)
            if line.startswith("data:"):
                client_id = json.loads(line.removeprefix("data:"))["clientId"]
        body = {"clientId": client_id, "subscriptions": ["subscriptions/*"]}
        await frontend.call("POST", "/api/realtime", body=body)
        await frontend.call("POST", "/api/realtime", body=body, token=user.token)
        await _deliver(sender, user)
        async with asyncio.timeout(10):
            while (await anext(lines)) != "event:subscriptions/*":
                pass


@pytest.mark.parametrize("event", ["Create", "Update"])
async def test_a_hook_that_throws_after_the_commit_does_not_fail_the_delivery(
    fresh_stack: Callable[..., Stack], http: httpx.AsyncClient, tmp_path: Path, event: str
) -> None:
    """A stored event is answered 200 and stays applied, whatever a team's own hook does."""
    own = fresh_stack(start=False)
    _add_hook(own, tmp_path, f'onRecordAfter{event}Success(() => {{ throw new Error("ours") }})')
    own.pocketbase.ensure_superuser()
    own.start()
    sender = Sender(http, own.gateway.url, own.plan.stripe.webhook_secrets[0])
    customer = {"id": "cus_hooked", "object": "customer", "email": "a@example.com"}
    for type in ("customer.created", "customer.updated"):
        made = build_event(type, customer | {"name": type}, created=int(time.time()) + len(type))
        answer = await sender.send(made)
        assert (answer.status_code, answer.json()["outcome"]) == (200, "applied")
        again = await sender.send(made)
        assert (again.status_code, again.json()["outcome"]) == (200, "duplicate")


def _add_hook(own: Stack, tmp_path: Path, script: str) -> None:
    """Let the stack's PocketBase run a hook of the team's beside the gateway's."""
    hooks = tmp_path / "hooks"
    shutil.copytree(ROOT / "pb_hooks", hooks)
    (hooks / "team.pb.js").write_text(script)
    command = own.pocketbase.command
    place = next(i for i, part in enumerate(command) if part.startswith("--hooksDir="))
    changed = (*command[:place], f"--hooksDir={hooks}", *command[place + 1 :])
    own.pocketbase.command = type(command)(changed)
