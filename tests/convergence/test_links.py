"""Owners of customers: by metadata, client_reference_id, or a verified address."""

from collections.abc import Callable
from secrets import token_hex
from typing import Any

import pytest

from tests.convergence.bench import Bench
from tests.convergence.scene import Scene

Json = dict[str, Any]
Arrange = Callable[[list[Json]], list[Json]]
BOTH_ORDERS = pytest.mark.parametrize(
    "arrange", [list, lambda events: events[::-1]], ids=["in order", "reversed"]
)


@pytest.fixture
def scene(bench: Bench) -> Scene:
    """A fresh Stripe account."""
    return Scene(bench)


def _customer_of(scene: Scene, session: str) -> Json:
    customer = scene.row("checkout_sessions", session)["customer"]
    [row] = scene.bench.mirror.find("customers", "id", customer)
    return row


@BOTH_ORDERS
def test_metadata_of_the_customer(scene: Scene, arrange: Arrange) -> None:
    """A customer that names a user is the user's, and the one that /checkout uses."""
    user, _ = scene.add_user()
    customer = scene.add_customer(metadata={"pocketbase_user": user})

    scene.deliver(arrange(scene.events()))

    row = scene.row("customers", customer)
    assert (row["user"], row["primary"]) == (user, True)


@BOTH_ORDERS
def test_metadata_of_a_subscription(scene: Scene, arrange: Arrange) -> None:
    """A subscription made in the Dashboard links its customer by metadata, but not as primary."""
    user, _ = scene.add_user()
    customer = scene.add_customer()
    subscription = scene.subscribe(customer, metadata={"pocketbase_user": user})

    scene.deliver(arrange(scene.events()))

    assert scene.row("subscriptions", subscription)["user"] == user
    row = scene.row("customers", customer)
    assert (row["user"], row["primary"]) == (user, False)


@BOTH_ORDERS
def test_client_reference_id(scene: Scene, arrange: Arrange) -> None:
    """A session's customer is the user's whom it names; primary only if the metadata agrees.

    A page with a pricing table can be made to name any user.
    """
    user, _ = scene.add_user(verified=False)
    table = scene.buy(client_reference_id=user)
    session = scene.buy(client_reference_id=user, metadata={"pocketbase_user": user})

    scene.deliver(arrange(scene.events()))

    for bought, primary in ((table, False), (session, True)):
        row = _customer_of(scene, bought)
        assert (row["user"], row["primary"]) == (user, primary)


@BOTH_ORDERS
def test_payment_link(scene: Scene, arrange: Arrange) -> None:
    """A Payment Link's customer is linked, but never primary: visitors can write its address."""
    user, email = scene.add_user()
    session = scene.buy(link=True, form={"email": email}, client_reference_id=user)

    scene.deliver(arrange(scene.events()))

    row = _customer_of(scene, session)
    assert (row["user"], row["primary"]) == (user, False)
    [subscription] = scene.bench.mirror.find("subscriptions", "customer", row["id"])
    assert subscription["user"] == user


@BOTH_ORDERS
def test_verified_address(scene: Scene, arrange: Arrange) -> None:
    """A customer with a verified address is that user's, whatever the case of its letters."""
    user, email = scene.add_user()
    customer = scene.add_customer(email=email.upper())
    subscription = scene.subscribe(customer)

    scene.deliver(arrange(scene.events()))

    assert scene.row("customers", customer)["user"] == user
    assert scene.row("subscriptions", subscription)["user"] == user


@pytest.mark.parametrize("spelling", [str.lower, str.upper, str.title])
def test_an_address_with_capitals(scene: Scene, spelling: Callable[[str], str]) -> None:
    """A verified address with capitals links a customer that comes later, in any spelling."""
    email = f"Mixed.{token_hex(6)}@Example.com"
    user = scene.bench.mirror.add_user(email, verified=True)
    customer = scene.add_customer(email=spelling(email))

    scene.deliver(scene.events())

    assert scene.row("customers", customer)["user"] == user


def test_an_address_with_capitals_verified_later(scene: Scene) -> None:
    """A customer that is there already is linked when an address in other letters is verified."""
    email = f"Mixed.{token_hex(6)}@Example.com"
    user = scene.bench.mirror.add_user(email, verified=False)
    customer = scene.add_customer(email=email.lower())

    scene.deliver(scene.events())
    scene.verify(user)

    assert scene.row("customers", customer)["user"] == user


def test_accounts_that_differ_in_case(scene: Scene) -> None:
    """Of two accounts the one that has verified the address gets the customer."""
    email = f"both.{token_hex(6)}@example.com"
    scene.bench.mirror.add_user(email, verified=False)
    owner = scene.bench.mirror.add_user(email.title(), verified=True)
    customer = scene.add_customer(email=email)

    scene.deliver(scene.events())

    assert scene.row("customers", customer)["user"] == owner


def test_unverified_address(scene: Scene) -> None:
    """An address that is not verified links nothing; once it is, everything is linked."""
    user, email = scene.add_user(verified=False)
    customer = scene.add_customer(email=email)
    subscription = scene.subscribe(customer)

    scene.deliver(scene.events())
    assert scene.row("customers", customer)["user"] == ""
    assert scene.row("subscriptions", subscription)["user"] == ""
    scene.verify(user)

    row = scene.row("customers", customer)
    assert (row["user"], row["primary"]) == (user, True)
    assert scene.row("subscriptions", subscription)["user"] == user


def test_payment_link_verified_later(scene: Scene) -> None:
    """A Payment Link's customer whose address is verified later is linked, but not primary."""
    user, email = scene.add_user(verified=False)
    session = scene.buy(link=True, form={"email": email})

    scene.deliver(scene.events())
    scene.verify(user)

    row = _customer_of(scene, session)
    assert (row["user"], row["primary"]) == (user, False)


@BOTH_ORDERS
def test_unknown_user(scene: Scene, arrange: Arrange) -> None:
    """A user who does not exist is ignored, and the address counts."""
    user, email = scene.add_user()
    customer = scene.add_customer(email=email, metadata={"pocketbase_user": "nobody"})

    scene.deliver(arrange(scene.events()))

    assert scene.row("customers", customer)["user"] == user


@BOTH_ORDERS
@pytest.mark.parametrize("seconds", [0, 5])
def test_the_customers_metadata_moves_it(scene: Scene, arrange: Arrange, seconds: int) -> None:
    """A customer belongs to the user whom its metadata names last, with everything it has."""
    (first, email), (second, _) = scene.add_user(), scene.add_user()
    customer = scene.add_customer(email=email, metadata={"pocketbase_user": first})
    subscription = scene.subscribe(customer, metadata={"pocketbase_user": first})
    scene.world.clock.advance(seconds)
    scene.call("POST", f"/v1/customers/{customer}", metadata={"pocketbase_user": second})

    scene.deliver(arrange(scene.events()))

    row = scene.row("customers", customer)
    assert (row["user"], row["primary"]) == (second, True)
    assert scene.row("subscriptions", subscription)["user"] == second
    for collection in ("invoices", "charges", "payments", "payment_methods"):
        rows = scene.rows(collection, customer)
        assert rows, collection
        assert {each["user"] for each in rows} == {second}, collection


@BOTH_ORDERS
def test_metadata_that_is_emptied_moves_nothing(scene: Scene, arrange: Arrange) -> None:
    """A customer keeps its user when its metadata no longer names one."""
    (named, _), (_, email) = scene.add_user(), scene.add_user()
    customer = scene.add_customer(email=email, metadata={"pocketbase_user": named})
    scene.world.clock.advance(5)
    scene.call("POST", f"/v1/customers/{customer}", metadata={"pocketbase_user": ""})

    scene.deliver(arrange(scene.events()))

    assert scene.row("customers", customer)["user"] == named


@BOTH_ORDERS
def test_metadata_that_is_emptied_leaves_the_first_claim(scene: Scene, arrange: Arrange) -> None:
    """A moved customer returns to its first user when no metadata names one."""
    (first, _), (second, _) = scene.add_user(), scene.add_user()
    customer = scene.add_customer()
    subscription = scene.subscribe(customer, metadata={"pocketbase_user": first})
    for named in (second, ""):
        scene.world.clock.advance(5)
        scene.call("POST", f"/v1/customers/{customer}", metadata={"pocketbase_user": named})

    scene.deliver(arrange(scene.events()))

    assert scene.row("customers", customer)["user"] == first
    assert scene.row("subscriptions", subscription)["user"] == first


@BOTH_ORDERS
def test_an_organization_gets_a_users_customer(scene: Scene, arrange: Arrange) -> None:
    """The seller moves a customer from a user to an organization by its metadata."""
    user, email = scene.add_user()
    organization = scene.bench.mirror.add_organization()
    customer = scene.add_customer(email=email, metadata={"pocketbase_user": user})
    subscription = scene.subscribe(customer)
    scene.world.clock.advance(5)
    metadata = {"pocketbase_user": "", "pocketbase_organization": organization}
    scene.call("POST", f"/v1/customers/{customer}", metadata=metadata)

    scene.deliver(arrange(scene.events()))

    for row in (scene.row("customers", customer), scene.row("subscriptions", subscription)):
        assert (row["user"], row["organization"]) == ("", organization)


@BOTH_ORDERS
def test_a_new_address_changes_no_owner(scene: Scene, arrange: Arrange) -> None:
    """A customer linked by address stays the user's when it gets another address."""
    user, email = scene.add_user()
    customer = scene.add_customer(email=email)
    scene.world.clock.advance(5)
    scene.call("POST", f"/v1/customers/{customer}", email="else@example.com")

    scene.deliver(arrange(scene.events()))

    row = scene.row("customers", customer)
    assert (row["user"], row["email"]) == (user, "else@example.com")


@BOTH_ORDERS
def test_a_name_beats_an_address(scene: Scene, arrange: Arrange) -> None:
    """Metadata that names the user wins over an address, in either order."""
    (named, _), (_, email) = scene.add_user(), scene.add_user()
    customer = scene.add_customer(email=email)
    scene.world.clock.advance(5)
    scene.subscribe(customer, metadata={"pocketbase_user": named})

    scene.deliver(arrange(scene.events()))

    assert scene.row("customers", customer)["user"] == named


@BOTH_ORDERS
def test_first_customer_is_primary(scene: Scene, arrange: Arrange) -> None:
    """Of a user's customers the first is primary, and when it is deleted, the next."""
    user, _ = scene.add_user()
    first = scene.add_customer(metadata={"pocketbase_user": user})
    scene.world.clock.advance(5)
    second = scene.add_customer(metadata={"pocketbase_user": user})

    scene.deliver(arrange(scene.events()))
    assert [scene.row("customers", each)["primary"] for each in (first, second)] == [1, 0]

    scene.call("DELETE", f"/v1/customers/{first}")
    scene.deliver(arrange(scene.events()))
    assert [scene.row("customers", each)["primary"] for each in (first, second)] == [0, 1]


def _primaries(scene: Scene, *customers: str) -> list[int]:
    return [scene.row("customers", each)["primary"] for each in customers]


@BOTH_ORDERS
def test_the_customer_with_a_subscription_is_primary(scene: Scene, arrange: Arrange) -> None:
    """The primary customer is the one with a running subscription, until that ends."""
    user, email = scene.add_user()
    oldest = scene.add_customer(metadata={"pocketbase_user": user})
    scene.world.clock.advance(5)
    buyer = scene.add_customer(email=email)
    subscription = scene.subscribe(buyer)

    scene.deliver(arrange(scene.events()))
    assert _primaries(scene, oldest, buyer) == [0, 1]

    scene.call("DELETE", f"/v1/subscriptions/{subscription}")
    scene.deliver(arrange(scene.events()))
    assert _primaries(scene, oldest, buyer) == [1, 0]


@BOTH_ORDERS
def test_primary_stays_while_a_subscription_runs(scene: Scene, arrange: Arrange) -> None:
    """Another customer's later subscription changes nothing, whatever follows on the first one."""
    user, _ = scene.add_user()
    oldest = scene.add_customer(metadata={"pocketbase_user": user})
    buyer = scene.add_customer(metadata={"pocketbase_user": user})
    first = scene.subscribe(buyer)
    scene.world.clock.advance(5)
    scene.subscribe(oldest)
    scene.world.clock.advance(5)
    scene.subscribe(buyer)
    scene.world.clock.advance(5)
    scene.call("DELETE", f"/v1/subscriptions/{first}")

    scene.deliver(arrange(scene.events()))

    assert _primaries(scene, oldest, buyer) == [0, 1]


def test_primary_among_customers_that_are_linked_at_once(scene: Scene) -> None:
    """Verifying an address of several customers makes the subscribed one primary."""
    for _ in range(4):  # Record ids are hashes: each order of them comes up.
        user, email = scene.add_user(verified=False)
        idle = scene.add_customer(email=email)
        buyer = scene.add_customer(email=email)
        scene.subscribe(buyer)
        scene.deliver(scene.events("customer."))
        scene.verify(user)
        assert _primaries(scene, idle, buyer) == [0, 1]


@BOTH_ORDERS
def test_connected_accounts_link_nothing(scene: Scene, arrange: Arrange) -> None:
    """A connected account's events make no row and link no user, even of an id that we know."""
    user, email = scene.add_user()
    customer = scene.add_customer(name="ours")
    foreign = scene.add_customer(email=email, metadata={"pocketbase_user": user})
    ours = [e for e in scene.events("customer.") if e["data"]["object"]["id"] == customer]
    theirs = [
        event | {"id": f"{event['id']}x", "account": "acct_1"}
        for event in scene.events("customer.")
    ]

    scene.deliver(arrange([*ours, *theirs]))

    assert scene.row("customers", customer)["user"] == ""
    assert scene.bench.mirror.read("customers", [foreign]) == {}
    stored = scene.bench.mirror.read("stripe_events", [event["id"] for event in theirs])
    assert {row["outcome"] for row in stored.values()} == {"connect"}
    assert {row["account"] for row in stored.values()} == {"acct_1"}
