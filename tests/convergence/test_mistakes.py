"""Known mistakes of other webhook integrations, and that they are not made here.

A projection or a row that fails is in tests/operations/test_replay.py, a read that is older than
what it would overwrite in test_reads.py, two clicks in tests/acceptance/test_one_customer.py.
"""

from itertools import permutations
from random import Random
from typing import Any

import pytest

from stripe_simulator.http.actions import ACTIONS
from stripe_simulator.resources import portal_sessions
from tests.convergence.bench import Bench
from tests.convergence.expected_rows import ExpectedRows
from tests.convergence.history import MOVES, History
from tests.convergence.scene import Scene
from tests.delivery import build_event

Json = dict[str, Any]


@pytest.fixture
def scene(bench: Bench) -> Scene:
    """A fresh Stripe account."""
    return Scene(bench)


def test_unknown_types_and_customers_are_taken(scene: Scene) -> None:
    """An unknown type, an unknown customer and a price that is not yet here are answered 2xx."""
    customer = scene.add_customer()
    subscription = scene.subscribe(customer)
    unknown = build_event("issuing_card.invented", {"id": "x_1", "object": "issuing.invention"})

    scene.deliver([unknown, *scene.events("customer.subscription.")])

    assert scene.row("stripe_events", unknown["id"])["outcome"] == "applied"
    assert scene.row("stripe_objects", "x_1")["object"] == "issuing.invention"
    assert scene.row("subscriptions", subscription)["status"] == "active"


def test_a_second_event_of_the_same_second_counts(scene: Scene) -> None:
    """Three updates within one second end in the third, in each of their orders."""
    for order in permutations(range(3)):
        product = scene.call("POST", "/v1/products", name="zero")["id"]
        for name in ("one", "two", "three"):
            scene.call("POST", f"/v1/products/{product}", name=name)
        created, *updates = scene.world.events[-4:]

        scene.deliver([created, *(updates[place] for place in order)])

        assert scene.row("products", product)["name"] == "three", order


def test_created_after_updated_takes_nothing_back(scene: Scene) -> None:
    """`created` says incomplete and `updated` active, in one second: it stays active."""
    subscription = scene.subscribe(scene.add_customer())
    created, updated = scene.events("customer.subscription.")
    statuses = [event["data"]["object"]["status"] for event in (created, updated)]
    assert statuses == ["incomplete", "active"]

    scene.deliver([updated, created])

    assert scene.row("subscriptions", subscription)["status"] == "active"


def test_events_do_not_cost_a_call_each(scene: Scene) -> None:
    """A burst of a hundred events of as many objects is stored without reading Stripe at all."""
    for number in range(50):
        product = scene.call("POST", "/v1/products", name=f"Product {number}")["id"]
        scene.call("POST", f"/v1/products/{product}", name=f"Renamed {number}")
    before = len(scene.bench.account.reads)

    scene.bench.loop.run(scene.bench.deliverer.deliver(scene.world.events[::-1]))

    assert len(scene.bench.account.reads) == before


def test_one_time_payments_are_recorded(scene: Scene) -> None:
    """A purchase in payment mode is a session, a payment and a charge of its buyer."""
    user, _ = scene.add_user()
    customer = scene.add_customer(metadata={"pocketbase_user": user})
    session = scene.buy(mode="payment", customer=customer)

    scene.deliver(scene.events())

    row = scene.row("checkout_sessions", session)
    assert (row["payment_status"], row["user"]) == ("paid", user)
    [payment] = scene.rows("payments", customer)
    [charge] = scene.rows("charges", customer)
    assert row["payment"] == charge["payment"] == payment["id"]
    assert (payment["status"], payment["amount_received"], payment["user"]) == (
        "succeeded",
        1000,
        user,
    )


def test_a_trials_invoice_is_stored(scene: Scene) -> None:
    """The invoice of 0 that begins a trial has no payment, and is a row like others."""
    customer = scene.add_customer()
    subscription = scene.subscribe(customer, trial_period_days=7)

    scene.deliver(scene.events())

    [invoice] = scene.rows("invoices", customer)
    assert (invoice["total"], invoice["status"], invoice["payment"]) == (0, "paid", "")
    assert scene.row("subscriptions", subscription)["status"] == "trialing"


def test_no_date_is_1970(bench: Bench) -> None:
    """Over a history of every kind of object, no column of any row is in 1970."""
    history = History(bench)
    for name in MOVES:
        history.move(name, Random(1))
    history.deliver_all(Random(1))

    shown = ExpectedRows.of(history.world.events, {}).rows
    rows = [bench.mirror.read(collection, [found])[found] for collection, found in shown]

    assert len(rows) > 30
    assert not [row for row in rows for value in row.values() if str(value).startswith("1970")]


def test_a_cancel_in_the_portal_is_seen(scene: Scene) -> None:
    """A cancel in the Portal sets only `cancel_at`: the row has the date, and loses it again."""
    customer = scene.add_customer()
    subscription = scene.subscribe(customer)
    scene.deliver(scene.events())
    portal = scene.call(
        "POST", "/v1/billing_portal/sessions", customer=customer, return_url="https://shop.test/"
    )

    portal_sessions.cancel_subscription(scene.world, portal, subscription)
    scene.deliver(scene.events()[-1:])
    row = scene.row("subscriptions", subscription)
    assert row["cancel_at"] == row["current_period_end"] != ""

    portal_sessions.renew_subscription(scene.world, portal, subscription)
    scene.deliver(scene.events()[-1:])
    assert scene.row("subscriptions", subscription)["cancel_at"] == ""


def test_a_redelivery_changes_nothing(scene: Scene) -> None:
    """Every event a second time, later and in another order, leaves each row untouched."""
    customer = scene.add_customer()
    subscription = scene.subscribe(customer)
    scene.deliver(scene.events())
    before = scene.row("subscriptions", subscription), scene.rows("invoices", customer)

    scene.deliver(scene.events()[::-1])

    assert (scene.row("subscriptions", subscription), scene.rows("invoices", customer)) == before


@pytest.mark.parametrize("seconds", [0, 5])
def test_deleted_objects_stay_deleted(scene: Scene, seconds: int) -> None:
    """An update that arrives after the deletion brings nothing back, nor does a late renewal."""
    customer = scene.add_customer()
    subscription = scene.subscribe(customer)
    scene.call("POST", f"/v1/customers/{customer}", name="late")
    ACTIONS["subscriptions/{id}/renew"](scene.world, subscription, {})
    scene.world.clock.advance(seconds)
    scene.call("DELETE", f"/v1/customers/{customer}")
    ends = [event for event in scene.events() if event["type"].endswith(".deleted")]

    scene.deliver([*ends, *(event for event in scene.events() if event not in ends)])

    assert scene.row("customers", customer)["deleted"] == 1
    assert scene.row("subscriptions", subscription)["status"] == "canceled"


def test_subscriptions_made_elsewhere_are_linked(scene: Scene) -> None:
    """Sales of the Dashboard and of Payment Links are linked by address and by reference."""
    user, email = scene.add_user()
    by_hand = scene.subscribe(scene.add_customer(email=email))
    session = scene.buy(link=True, client_reference_id=user)

    scene.deliver(scene.events()[::-1])

    assert scene.row("subscriptions", by_hand)["user"] == user
    bought = scene.row("checkout_sessions", session)["subscription"]
    [subscription] = scene.bench.mirror.find("subscriptions", "id", bought)
    assert subscription["user"] == user
