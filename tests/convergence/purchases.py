"""Steps that set owners and entitlements, in addition to the simulator's histories."""

from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

from stripe_simulator.errors import StripeError
from stripe_simulator.histories import a_customer, a_price, call
from stripe_simulator.resources import checkout_completion
from stripe_simulator.world import World

Json = dict[str, Any]

#: The metadata keys that name who pays.
KEY, ORGANIZATION_KEY = "pocketbase_user", "pocketbase_organization"


@dataclass(frozen=True)
class People:
    """The possible buyers."""

    #: Id and address of each user.
    users: list[tuple[str, str]]
    #: The id of an organization.
    organization: str


def make_customer(world: World, random: Random, people: People) -> None:
    """A customer that names a user, or has a user's address, or both."""
    user, _ = random.choice(people.users)
    _, email = random.choice(people.users)
    params: Json = {"email": email.upper() if random.random() < 0.3 else email}
    if random.random() < 0.6:
        params["metadata"] = {KEY: user}
    if random.random() < 0.2:
        params.setdefault("metadata", {})[ORGANIZATION_KEY] = people.organization
    call(world, "POST", "/v1/customers", params)


def change_customer(world: World, random: Random, people: People) -> None:
    """A customer gets another address, or another user."""
    user, email = random.choice(people.users)
    params = random.choice(
        (
            {"email": email},
            {"metadata": {KEY: user}},
            {"metadata": {KEY: "", ORGANIZATION_KEY: ""}},
            {"metadata": {ORGANIZATION_KEY: people.organization}},
        )
    )
    call(world, "POST", f"/v1/customers/{a_customer(world, random)['id']}", params)


def subscribe_for(world: World, random: Random, people: People) -> None:
    """A subscription that names a user."""
    items = [{"price": a_price(world, random)}]
    metadata = {KEY: random.choice(people.users)[0]}
    if random.random() < 0.3:
        metadata[ORGANIZATION_KEY] = people.organization
    params = {"customer": a_customer(world, random)["id"], "items": items, "metadata": metadata}
    call(world, "POST", "/v1/subscriptions", params)


def buy_for(world: World, random: Random, people: People) -> None:
    """A user buys: by checkout or Payment Link, with a customer, a new one, or as a guest."""
    mode = random.choice(("payment", "subscription"))
    kind = "one_time" if mode == "payment" else "recurring"
    params: Json = {
        "mode": mode,
        "success_url": "https://shop.test/",
        "line_items": [{"price": a_price(world, random, kind), "quantity": 1}],
        "client_reference_id": random.choice(people.users)[0],
    }
    if random.random() < 0.7:
        params["metadata"] = {"pocketbase_item_1": f"{a_price(world, random, 'one_time')}:2"}
    if random.random() < 0.2:
        params.setdefault("metadata", {})[ORGANIZATION_KEY] = people.organization
    is_link = random.random() < 0.4
    if not is_link and random.random() < 0.5:
        params["customer"] = a_customer(world, random)["id"]
    session = call(world, "POST", "/v1/checkout/sessions", params)
    if is_link:
        session["payment_link"] = "plink_1"
    form = checkout_completion.Form(
        email=random.choice(people.users)[1], delayed=random.random() < 0.2
    )
    checkout_completion.complete(world, session["id"], form)


def bill_by_hand(world: World, random: Random, people: People) -> None:
    """The seller sells one or two things by an invoice, which is paid at once or in cash."""
    customer = a_customer(world, random)["id"]
    invoice = call(world, "POST", "/v1/invoices", {"customer": customer})["id"]
    for _ in range(random.choice((1, 2))):
        pricing = {"price": a_price(world, random, "one_time")}
        params = {"customer": customer, "invoice": invoice, "pricing": pricing, "quantity": 2}
        call(world, "POST", "/v1/invoiceitems", params)
    params = {"paid_out_of_band": True} if random.random() < 0.3 else {}
    call(world, "POST", f"/v1/invoices/{invoice}/pay", params)


def subscribe_to_many(world: World, random: Random, people: People) -> None:
    """A subscription of more items than Stripe shows at once; seldom, as each event is read."""
    if random.random() < 0.85:
        return
    recurring = {"interval": "month"}
    product = random.choice(list(world.all("product")))
    params = {"product": product, "currency": "usd", "unit_amount": 100, "recurring": recurring}
    items = [{"price": call(world, "POST", "/v1/prices", params)["id"]} for _ in range(11)]
    params = {"customer": a_customer(world, random)["id"], "items": items}
    call(world, "POST", "/v1/subscriptions", params)


def describe_offer(world: World, random: Random, people: People) -> None:
    """A product or price offers features, others than before, or none."""
    path = random.choice(
        (
            f"/v1/products/{random.choice(list(world.all('product')))}",
            f"/v1/prices/{a_price(world, random, random.choice(('recurring', 'one_time')))}",
        )
    )
    metadata = {
        "features": random.choice(("", "pro", "pro, export")),
        "limit_export": random.choice(("", "10", "2.5")),
        "duration_days": random.choice(("", "30")),
    }
    call(world, "POST", path, {"metadata": metadata})


MOVES = {
    move.__name__: move
    for move in (
        make_customer,
        change_customer,
        subscribe_for,
        buy_for,
        bill_by_hand,
        subscribe_to_many,
        describe_offer,
    )
}


def move(world: World, random: Random, people: People, name: str) -> None:
    """Make a move; what Stripe would refuse changes nothing more."""
    with suppress(StripeError):
        MOVES[name](world, random, people)
