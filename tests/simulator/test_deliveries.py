"""Webhook deliveries: signed, repeated until answered, twice and shuffled when asked."""

from tests.simulator.served import SECRET, Receiver, Running, receiving


async def register(running: Running, receiver: Receiver, **more: object) -> str:
    """Register the receiver for every event; deliveries are retried at once."""
    await running.control("deliveries", retry_first=0.01)
    endpoint = await running.control("webhook_endpoints", url=receiver.url, secret=SECRET, **more)
    return str(endpoint["id"])


async def customers(running: Running, count: int) -> list[str]:
    """Create customers, one event each; gives the events' ids."""
    for number in range(count):
        await running.sdk.v1.customers.create_async({"name": f"Customer {number}"})
    return [event["id"] for event in running.simulator.world.events[-count:]]


async def test_every_event_arrives_signed_and_pretty(running: Running, receiver: Receiver) -> None:
    """A registered endpoint gets each event once, in full."""
    await register(running, receiver)
    wanted = await customers(running, 3)
    await running.delivered()
    assert sorted(event["id"] for event in receiver.events) == sorted(wanted)
    assert receiver.events[0]["api_version"] == "2026-10-28.endive"
    assert all(e["pending_webhooks"] == 0 for e in running.simulator.world.events)


async def test_an_endpoint_made_by_api_gets_only_what_it_asked_for(running: Running) -> None:
    """enabled_events chooses; the secret is in the answer to the creation only."""
    made = await running.sdk.v1.webhook_endpoints.create_async(
        {"url": "http://127.0.0.1:9/none", "enabled_events": ["customer.created"]}
    )
    assert made.secret.startswith("whsec_")
    found = await running.sdk.v1.webhook_endpoints.retrieve_async(made.id)
    assert "secret" not in found
    async with receiving(made.secret) as receiver:
        await running.sdk.v1.webhook_endpoints.update_async(made.id, {"url": receiver.url})
        customer = await running.sdk.v1.customers.create_async({"name": "A"})
        await running.sdk.v1.customers.update_async(customer.id, {"name": "B"})
        await running.delivered()
        assert receiver.types == ["customer.created"]


async def test_a_refused_delivery_is_made_again(running: Running, receiver: Receiver) -> None:
    """Anything but a 2xx is retried."""
    await register(running, receiver)
    receiver.statuses = [500, 400]
    await customers(running, 1)
    log = await running.delivered()
    assert [entry["status_code"] for entry in log["log"]] == [500, 400, 200]
    assert len({event["id"] for event in receiver.events}) == 1


async def test_deliveries_come_twice_and_shuffled(running: Running, receiver: Receiver) -> None:
    """With duplicate and shuffle every event arrives at least once, not in order."""
    await register(running, receiver)
    await running.control("deliveries", duplicate=0.5, shuffle=50, concurrency=1, seed=7)
    await running.control("deliveries", paused=True)
    wanted = await customers(running, 30)
    await running.control("deliveries", paused=False)
    await running.delivered()
    arrived = [event["id"] for event in receiver.events]
    assert set(arrived) == set(wanted)
    assert len(arrived) > len(wanted)
    assert list(dict.fromkeys(arrived)) != wanted


async def test_lost_deliveries_and_lost_answers_are_made_up_for(
    running: Running, receiver: Receiver
) -> None:
    """A delivery or an answer that is lost on its way leads to another attempt."""
    await register(running, receiver)
    await running.control("deliveries", fail=0.3, lose_answer=0.3, seed=3)
    wanted = await customers(running, 20)
    await running.delivered()
    assert {event["id"] for event in receiver.events} == set(wanted)
    assert len(receiver.events) > len(wanted)


async def test_an_event_is_delivered_again_on_demand(running: Running, receiver: Receiver) -> None:
    """The control API redelivers an event by its id."""
    await register(running, receiver)
    (event,) = await customers(running, 1)
    await running.delivered()
    await running.control(f"events/{event}/redeliver", times=2)
    await running.delivered()
    assert [arrived["id"] for arrived in receiver.events] == [event] * 3


async def test_a_thin_endpoint_gets_notifications(running: Running, receiver: Receiver) -> None:
    """A thin notification names the object, and the v2 API tells the event again."""
    await register(running, receiver, thin=True)
    (event,) = await customers(running, 1)
    await running.delivered()
    (notification,) = receiver.events
    assert notification["object"] == "v2.core.event"
    assert notification["type"] == "v1.customer.created"
    assert notification["related_object"]["type"] == "customer"
    assert notification["snapshot_event"] == event
    found = await running.sdk.v2.core.events.retrieve_async(notification["id"])
    assert found.type == "v1.customer.created"


async def test_events_of_connected_accounts_go_to_connect_endpoints(
    running: Running, receiver: Receiver
) -> None:
    """A Connect endpoint gets only connected accounts' events, and they carry `account`."""
    await register(running, receiver, connect=True)
    await customers(running, 1)
    await running.control("connect", account="acct_123")
    (event,) = await customers(running, 1)
    await running.control("connect", account=None)
    await running.delivered()
    assert [(e["id"], e["account"]) for e in receiver.events] == [(event, "acct_123")]
