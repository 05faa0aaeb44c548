"""Entitlements of one-time payments, and their end by refunds."""

from typing import Any

import pytest

from tests.entitlements.purchases import DAY, LEEWAY, Purchases, write_time

FOREVER = "9999-12-31 23:59:59.999Z"


async def _sell(purchases: Purchases, **metadata: str) -> dict[str, Any]:
    price = await purchases.add_price(await purchases.add_product(**metadata))
    session = purchases.build_session(price)
    await purchases.tell("checkout.session.completed", session)
    return session


async def test_a_payment_lasts_for_ever(purchases: Purchases) -> None:
    """Without a duration, what was paid once stays."""
    session = await _sell(purchases, features="pro", limit_seats="3")
    rows = await purchases.read()
    assert {row["active_until"] for row in rows.values()} == {FOREVER}
    assert rows["seats"]["limit"] == 3
    assert rows["pro"]["sources"] == [session["id"]]


async def test_an_unpaid_session_gives_nothing(purchases: Purchases) -> None:
    """A delayed payment entitles once it is paid."""
    price = await purchases.add_price(await purchases.add_product(features="pro"))
    session = purchases.build_session(price, payment_status="unpaid")
    await purchases.tell("checkout.session.completed", session)
    assert await purchases.read() == {}
    paid = session | {"payment_status": "paid"}
    await purchases.tell("checkout.session.async_payment_succeeded", paid, purchases.now + 1)
    assert await purchases.read_end() == FOREVER


async def test_a_session_that_was_left_gives_nothing(purchases: Purchases) -> None:
    """One that needs no payment, such as by a code for all of it, counts when it is complete."""
    price = await purchases.add_price(await purchases.add_product(features="pro"))
    session = purchases.build_session(price, payment_status="no_payment_required", status="expired")
    await purchases.tell("checkout.session.expired", session)
    assert await purchases.read() == {}


async def test_a_recurring_price_is_its_subscriptions(purchases: Purchases) -> None:
    """A session that names one gives nothing: the subscription says until when."""
    product = await purchases.add_product(features="pro")
    price = await purchases.add_price(product, "recurring")
    await purchases.tell("checkout.session.completed", purchases.build_session(price))
    assert await purchases.read() == {}


async def test_passes_follow_one_another(purchases: Purchases) -> None:
    """Days count from the payment; a second pass begins where the first one ends."""
    product = await purchases.add_product(limit_seats="3", duration_days="30")
    price = await purchases.add_price(product)
    first = purchases.build_session(price)
    await purchases.tell("checkout.session.completed", first)
    paid_at = purchases.now + 2 * DAY
    charge = purchases.build_charge(first["payment_intent"], created=paid_at)
    await purchases.tell("charge.succeeded", charge)
    assert await purchases.read_end("seats") == write_time(paid_at + 30 * DAY)
    await purchases.tell("checkout.session.completed", purchases.build_session(f"{price}:2"))
    row = (await purchases.read())["seats"]
    # The two of the second session were paid first.
    assert row["active_until"] == write_time(purchases.now + 90 * DAY)
    assert row["limit"] == 3


async def test_a_pass_beside_a_subscription(purchases: Purchases) -> None:
    """It lengthens the time but adds nothing to the limit, because it ends without an event."""
    product = await purchases.add_product(limit_seats="3", duration_days="90")
    await purchases.tell(
        "checkout.session.completed", purchases.build_session(await purchases.add_price(product))
    )
    await purchases.subscribe(await purchases.add_product(limit_seats="5"))
    row = (await purchases.read())["seats"]
    assert (row["limit"], row["active_until"]) == (5, write_time(purchases.now + 90 * DAY))


async def test_a_refund_takes_what_was_bought(purchases: Purchases) -> None:
    """A payment that was refunded in full entitles to nothing; a part of it changes nothing."""
    session = await _sell(purchases, features="pro")
    charge = purchases.build_charge(session["payment_intent"], amount=900, amount_refunded=100)
    await purchases.tell("charge.refunded", charge)
    assert await purchases.read_end() == FOREVER
    whole = charge | {"amount_refunded": 900, "refunded": True}
    await purchases.tell("charge.refunded", whole, purchases.now + 1)
    row = (await purchases.read())["pro"]
    assert (row["active"], row["active_until"]) == (False, "")


@pytest.mark.parametrize(
    ("status", "entitles"),
    [
        ("warning_needs_response", True),
        ("needs_response", False),
        ("under_review", False),
        ("lost", False),
        ("won", True),
    ],
)
async def test_a_dispute_takes_it_until_it_is_won(
    purchases: Purchases, status: str, entitles: bool
) -> None:
    """An inquiry takes no money, and so nothing else."""
    session = await _sell(purchases, features="pro")
    charge = purchases.build_charge(session["payment_intent"], disputed=True)
    await purchases.tell("charge.updated", charge)
    dispute = {
        "id": f"du_{purchases.user}",
        "object": "dispute",
        "charge": charge["id"],
        "payment_intent": session["payment_intent"],
        "status": status,
    }
    await purchases.tell("charge.dispute.created", dispute)
    assert bool(await purchases.read_end()) is entitles


@pytest.mark.parametrize("reason", ["subscription_cycle", "subscription_update"])
async def test_a_refunded_period(purchases: Purchases, reason: str) -> None:
    """A refunded last period ends the entitlement until the next period is paid."""
    subscription = await purchases.subscribe(await purchases.add_product(features="pro"))

    def bill(name: str, at: int, reason: str) -> dict[str, Any]:
        return {
            "id": f"in_{name}{purchases.user}",
            "object": "invoice",
            "customer": purchases.customer["id"],
            "subscription": subscription["id"],
            "payment_intent": f"pi_{name}{purchases.user}",
            "status": "paid",
            "billing_reason": reason,
            "amount_paid": 900,
            "created": at,
        }

    invoice = bill("1", purchases.now, reason)
    await purchases.tell("invoice.paid", invoice)
    charge = purchases.build_charge(invoice["payment_intent"], refunded=True)
    await purchases.tell("charge.refunded", charge)
    takes = reason == "subscription_cycle"
    assert bool(await purchases.read_end()) is not takes
    await purchases.tell("invoice.paid", bill("2", purchases.now + 1, "subscription_cycle"))
    assert await purchases.read_end() == write_time(purchases.end + LEEWAY)
