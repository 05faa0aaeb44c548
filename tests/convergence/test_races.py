"""Objects that name each other and arrive in the wrong order end in linked rows."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

from gateway.ids import record_id
from tests.convergence.bench import Bench
from tests.convergence.scene import Scene

Json = dict[str, Any]
#: Objects of a purchase's events; each is delivered first, in the middle and last.
_PARTS = ["customer.c", "customer.subscription", "invoice.", "product|price", "charge|payment"]


@pytest.fixture
def scene(bench: Bench) -> Scene:
    """A fresh Stripe account."""
    return Scene(bench)


def _sort(events: list[Json], order: tuple[str, ...]) -> list[Json]:
    """Put the events whose type begins with one of the parts in the parts' order, others first."""

    def place(event: Json) -> int:
        for i, part in enumerate(order):
            if event["type"].startswith(tuple(part.split("|"))):
                return i
        return -1

    return sorted(events, key=place)


@pytest.mark.parametrize("order", list(permutations(_PARTS))[::11])
def test_a_subscription_in_any_order_of_its_parts(scene: Scene, order: tuple[str, ...]) -> None:
    """Subscription, customer, product, price, invoice and payment link up, whichever is first."""
    user, _ = scene.add_user()
    customer = scene.add_customer(metadata={"pocketbase_user": user})
    subscription = scene.subscribe(customer)

    scene.deliver(_sort(scene.events(), order))

    row = scene.row("subscriptions", subscription)
    assert (row["status"], row["user"]) == ("active", user)
    assert row["customer"] == scene.row("customers", customer)["id"]
    assert row["price"] == scene.row("prices", scene.price)["id"]
    assert scene.row("prices", scene.price)["product"] == record_id(scene.product)
    [invoice] = scene.rows("invoices", customer)
    assert (invoice["subscription"], invoice["user"]) == (row["id"], user)
    for collection in ("payments", "charges", "invoice_payments", "payment_methods"):
        [part] = scene.rows(collection, customer)
        assert part["user"] == user, collection


def test_invoice_before_subscription(scene: Scene) -> None:
    """An invoice keeps the relation to a subscription that arrives later."""
    customer = scene.add_customer()
    subscription = scene.subscribe(customer)

    scene.deliver(scene.events("invoice."))
    [invoice] = scene.rows("invoices", customer)
    scene.deliver(scene.events("customer.subscription"))

    assert invoice["subscription"] == scene.row("subscriptions", subscription)["id"]


@pytest.mark.parametrize("is_session_first", [True, False])
def test_session_and_subscription(scene: Scene, is_session_first: bool) -> None:
    """checkout.session.completed before or after subscription.created: both are the buyer's."""
    user, _ = scene.add_user()
    session = scene.buy(client_reference_id=user)
    sessions, others = scene.events("checkout."), scene.events("customer.", "invoice")

    scene.deliver([*sessions, *others] if is_session_first else [*others, *sessions])

    row = scene.row("checkout_sessions", session)
    [subscription] = scene.bench.mirror.find("subscriptions", "customer", row["customer"])
    assert row["subscription"] == subscription["id"]
    assert (row["user"], subscription["user"]) == (user, user)


def test_the_old_subscription_is_cancelled_last(scene: Scene) -> None:
    """Of two subscriptions the new one stays active when the old one's end arrives last."""
    user, _ = scene.add_user()
    customer = scene.add_customer(metadata={"pocketbase_user": user})
    old = scene.subscribe(customer)
    new = scene.subscribe(customer)
    scene.world.clock.advance(60)
    scene.call("DELETE", f"/v1/subscriptions/{old}")
    ends = [event for event in scene.events() if event["type"].endswith("subscription.deleted")]

    scene.deliver([event for event in scene.events() if event not in ends])
    scene.deliver(ends)

    rows = {each: scene.row("subscriptions", each) for each in (old, new)}
    assert (rows[old]["status"], rows[new]["status"]) == ("canceled", "active")
    assert rows[old]["user"] == rows[new]["user"] == user


def test_an_unknown_customers_rows_wait(scene: Scene) -> None:
    """Rows of an unknown customer are kept without a user, and linked when one is known."""
    user, _ = scene.add_user()
    customer = scene.add_customer(metadata={"pocketbase_user": user})
    subscription = scene.subscribe(customer)
    late = scene.events("customer.created", "customer.updated")

    scene.deliver(event for event in scene.events() if event not in late)
    assert scene.row("subscriptions", subscription)["user"] == ""
    scene.deliver(late)

    assert scene.row("subscriptions", subscription)["user"] == user
    assert all(row["user"] == user for row in scene.rows("invoices", customer))


@pytest.mark.parametrize("arrange", [list, lambda events: events[::-1]])
def test_a_guests_payment(scene: Scene, arrange: Callable[[list[Json]], list[Json]]) -> None:
    """A guest's payment, its charge and its refund belong to the user whom the session names."""
    user, _ = scene.add_user()
    session = scene.buy(mode="payment", client_reference_id=user)
    [charge] = scene.world.all("charge")
    refund = scene.call("POST", "/v1/refunds", charge=charge)["id"]

    scene.deliver(arrange(scene.events()))

    payment = scene.row("checkout_sessions", session)["payment"]
    [row] = scene.bench.mirror.find("payments", "id", payment)
    assert (row["customer"], row["user"]) == ("", user)
    assert scene.row("charges", charge)["user"] == user
    assert scene.row("refunds", refund)["user"] == user


def test_refund_and_dispute_before_their_charge(scene: Scene) -> None:
    """A refund is linked through its charge, when that arrives."""
    user, _ = scene.add_user()
    customer = scene.add_customer(metadata={"pocketbase_user": user})
    scene.subscribe(customer)
    [charge] = scene.world.all("charge")
    refund = scene.call("POST", "/v1/refunds", charge=charge, amount=100)["id"]
    late = [e for e in scene.events("charge.", "payment_intent.") if "refund" not in e["type"]]

    scene.deliver(event for event in scene.events() if event not in late)
    scene.deliver(late)

    row = scene.row("refunds", refund)
    assert (row["customer"], row["user"]) == (record_id(customer), user)
