"""PocketBase away or frozen, the gateway killed: Stripe delivers again, and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio

from gateway.dev.plan import plan_throwaway
from gateway.dev.ports import pick_free
from gateway.dev.stack import Stack
from tests.dashboard import Dashboard, open_dashboard
from tests.delivery import Json, Sender, build_customer, build_event, build_subscription
from tests.frontend import Frontend, Record, User
from tests.problem import read_problem
from tests.webhooks.killing_proxy import KillingProxy

_TIMEOUT = 2.0


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A PocketBase and a gateway to take down; each test leaves both running."""
    env = {"GATEWAY_UPSTREAM_TIMEOUT": str(_TIMEOUT)}
    made = Stack(plan_throwaway(tmp_path_factory.mktemp("outage"), env))
    try:
        made.pocketbase.copy_migrated()
        made.pocketbase.ensure_superuser()
        for part in (made.pocketbase, made.gateway):
            part.start()
            part.wait_healthy()
        yield made
    finally:
        made.stop()


@dataclass(frozen=True, slots=True)
class Scene:
    """A user with a customer's row, and the event to deliver."""

    frontend: Frontend
    dashboard: Dashboard
    sender: Sender
    user: User
    event: Json

    async def read(self) -> tuple[Record | None, Record | None]:
        """Return the event's row in the inbox and the subscription's row."""
        subscription = self.event["data"]["object"]["id"]
        return (
            await self.dashboard.find("stripe_events", self.event["id"]),
            await self.dashboard.find("subscriptions", subscription),
        )

    async def assert_written_once(self, feed_actions: list[str]) -> None:
        """Check that event and row are there once, the row is the user's, who heard of it once."""
        kept, row = await self.read()
        assert kept
        assert (kept["outcome"], kept["attempts"]) == ("applied", 1)
        assert row
        assert (row["user"], row["status"]) == (self.user.id, "active")
        assert feed_actions == ["create"]


@pytest_asyncio.fixture
async def scene(own: Stack, http: httpx.AsyncClient) -> AsyncIterator[Scene]:
    """Sign up a user and make the customer known, while all is well."""
    async with open_dashboard(own.pocketbase) as dashboard:
        user = await dashboard.frontend.sign_up()
        sender = Sender(http, own.gateway.url, own.plan.stripe.webhook_secrets[0])
        customer = build_customer(user.id)
        answer = await sender.send(build_event("customer.created", customer))
        assert answer.status_code == 200, answer.text
        event = build_event("customer.subscription.created", build_subscription(customer["id"]))
        yield Scene(dashboard.frontend, dashboard, sender, user, event)


async def test_while_pocketbase_is_down_stripe_is_asked_to_come_again(
    own: Stack, scene: Scene
) -> None:
    """PocketBase down: 503 and Retry-After at once; back again: the same delivery is applied."""
    own.pocketbase.kill()
    async with asyncio.timeout(_TIMEOUT):
        answer = await scene.sender.send(scene.event)
    read_problem(answer, 503, "pocket-base-unavailable")
    assert int(answer.headers["retry-after"]) > 0

    own.pocketbase.start()
    await asyncio.to_thread(own.pocketbase.wait_healthy)
    async with scene.frontend.subscribe("subscriptions/*", token=scene.user.token) as feed:
        answer = await scene.sender.send(scene.event)
        assert (answer.status_code, answer.json()["outcome"]) == (200, "applied")
        await feed.next()
        await scene.assert_written_once([change.action for change in feed.seen])


async def test_while_pocketbase_is_frozen_the_answer_is_bounded(own: Stack, scene: Scene) -> None:
    """PocketBase frozen: every delivery is answered 503 in time; thawed, each event acts once."""
    more = [build_event("product.created", {"id": f"prod_{n}", "object": "product"}) for n in "abc"]
    async with scene.frontend.subscribe("subscriptions/*", token=scene.user.token) as feed:
        own.pocketbase.pause()
        try:
            # One round for those under way, one for those that waited meanwhile.
            async with asyncio.timeout(2 * _TIMEOUT + 3):
                answers = await asyncio.gather(
                    *(scene.sender.send(event) for event in (scene.event, *more))
                )
        finally:
            own.pocketbase.resume()
        for answer in answers:
            read_problem(answer, 503, "pocket-base-unavailable")
            assert int(answer.headers["retry-after"]) > 0

        again = await asyncio.gather(*(scene.sender.send(event) for event in (scene.event, *more)))
        # A write that was sent to the frozen PocketBase may have been stored.
        assert {answer.json()["outcome"] for answer in again} <= {"applied", "duplicate"}
        await feed.next()
        await scene.assert_written_once([change.action for change in feed.seen])


async def test_copies_that_wait_together_act_once(own: Stack, scene: Scene) -> None:
    """Of copies that end in one transaction, one is applied and the others are repeated."""
    first = [build_event("product.created", {"id": f"prod_{n}", "object": "product"}) for n in "xy"]
    own.pocketbase.pause()
    try:
        # The first two keep both writers busy, so that the copies gather behind them.
        sent = [asyncio.create_task(scene.sender.send(event)) for event in first]
        sent += [asyncio.create_task(scene.sender.send(scene.event)) for _ in range(5)]
        await asyncio.wait(sent, timeout=_TIMEOUT / 2)
    finally:
        own.pocketbase.resume()
    answers = await asyncio.gather(*sent)
    outcomes = [answer.json()["outcome"] for answer in answers[2:]]
    assert sorted(outcomes) == ["applied", *["duplicate"] * 4]


async def _restart_gateway(own: Stack, pocketbase_url: str) -> None:
    own.gateway.env["POCKETBASE_URL"] = pocketbase_url
    await asyncio.to_thread(own.gateway.restart)


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_kill_around_the_commit_neither_loses_nor_doubles(
    moment: str, own: Stack, scene: Scene
) -> None:
    """The gateway killed just before or just after PocketBase's commit: redelivered, it is once."""
    async with (
        KillingProxy(pick_free(), own.pocketbase.url) as proxy,
        scene.frontend.subscribe("subscriptions/*", token=scene.user.token) as feed,
    ):
        await _restart_gateway(own, proxy.url)
        proxy.arm(moment, own.gateway.kill)
        with pytest.raises(httpx.TransportError):
            await scene.sender.send(scene.event)
        assert not own.gateway.is_running
        written = await scene.read()
        assert [row is not None for row in written] == [moment == "after"] * 2

        await _restart_gateway(own, own.pocketbase.url)
        answer = await scene.sender.send(scene.event)
        outcome = {"before": "applied", "after": "duplicate"}[moment]
        assert (answer.status_code, answer.json()["outcome"]) == (200, outcome)
        if moment == "after":
            assert await scene.read() == written
        await feed.next()
        await scene.assert_written_once([change.action for change in feed.seen])
