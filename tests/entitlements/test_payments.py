"""What single payments entitle to, and what giving the money back takes."""

from typing import Any

import pytest

from tests.entitlements.till import DAY, LEEWAY, Till, write_time

FOREVER = "9999-12-31 23:59:59.999Z"


async def _sell(till: Till, **metadata: str) -> dict[str, Any]:
    price = await till.add_price(await till.add_product(**metadata))
    session = till.build_session(price)
    await till.tell("checkout.session.completed", session)
    return session


async def test_a_payment_lasts_for_ever(till: Till) -> None:
    """Without a duration, what was paid once stays."""
    session = await _sell(till, features="pro", limit_seats="3")
    rows = await till.read()
    assert {row["active_until"] for row in rows.values()} == {FOREVER}
    assert rows["seats"]["limit"] == 3
    assert rows["pro"]["sources"] == [session["id"]]


async def test_an_unpaid_session_gives_nothing(till: Till) -> None:
    """A delayed payment entitles once it is paid."""
    price = await till.add_price(await till.add_product(features="pro"))
    session = till.build_session(price, payment_status="unpaid")
    await till.tell("checkout.session.completed", session)
    assert await till.read() == {}
    paid = session | {"payment_status": "paid"}
    await till.tell("checkout.session.async_payment_succeeded", paid, till.now + 1)
    assert await till.read_end() == FOREVER


async def test_a_session_that_was_left_gives_nothing(till: Till) -> None:
    """One that needs no payment, such as by a code for all of it, counts when it is complete."""
    price = await till.add_price(await till.add_product(features="pro"))
    session = till.build_session(price, payment_status="no_payment_required", status="expired")
    await till.tell("checkout.session.expired", session)
    assert await till.read() == {}


async def test_a_recurring_price_is_its_subscriptions(till: Till) -> None:
    """A session that names one gives nothing: the subscription says until when."""
    product = await till.add_product(features="pro")
    price = await till.add_price(product, "recurring")
    await till.tell("checkout.session.completed", till.build_session(price))
    assert await till.read() == {}


async def test_passes_follow_one_another(till: Till) -> None:
    """Days count from the payment; a second pass begins where the first one ends."""
    product = await till.add_product(limit_seats="3", duration_days="30")
    price = await till.add_price(product)
    first = till.build_session(price)
    await till.tell("checkout.session.completed", first)
    paid_at = till.now + 2 * DAY
    charge = till.build_charge(first["payment_intent"], created=paid_at)
    await till.tell("charge.succeeded", charge)
    assert await till.read_end("seats") == write_time(paid_at + 30 * DAY)
    await till.tell("checkout.session.completed", till.build_session(f"{price}:2"))
    row = (await till.read())["seats"]
    # The two of the second session were paid first.
    assert row["active_until"] == write_time(till.now + 90 * DAY)
    assert row["limit"] == 3


async def test_a_pass_beside_a_subscription(till: Till) -> None:
    """It lengthens the time but adds nothing to the limit, because it ends without an event."""
    product = await till.add_product(limit_seats="3", duration_days="90")
    await till.tell("checkout.session.completed", till.build_session(await till.add_price(product)))
    await till.subscribe(await till.add_product(limit_seats="5"))
    row = (await till.read())["seats"]
    assert (row["limit"], row["active_until"]) == (5, write_time(till.now + 90 * DAY))


async def test_a_refund_takes_what_was_bought(till: Till) -> None:
    """A payment that was refunded in full entitles to nothing; a part of it changes nothing."""
    session = await _sell(till, features="pro")
    charge = till.build_charge(session["payment_intent"], amount=900, amount_refunded=100)
    await till.tell("charge.refunded", charge)
    assert await till.read_end() == FOREVER
    whole = charge | {"amount_refunded": 900, "refunded": True}
    await till.tell("charge.refunded", whole, till.now + 1)
    row = (await till.read())["pro"]
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
async def test_a_dispute_takes_it_until_it_is_won(till: Till, status: str, entitles: bool) -> None:
    """An inquiry takes no money, and so nothing else."""
    session = await _sell(till, features="pro")
    charge = till.build_charge(session["payment_intent"], disputed=True)
    await till.tell("charge.updated", charge)
    dispute = {
        "id": f"du_{till.user}",
        "object": "dispute",
        "charge": charge["id"],
        "payment_intent": session["payment_intent"],
        "status": status,
    }
    await till.tell("charge.dispute.created", dispute)
    assert bool(await till.read_end()) is entitles


@pytest.mark.parametrize("reason", ["subscription_cycle", "subscription_update"])
async def test_a_refunded_period(till: Till, reason: str) -> None:
    """A subscription whose last period was refunded entitles to nothing until the next is paid."""
    subscription = await till.subscribe(await till.add_product(features="pro"))

    def bill(name: str, at: int, reason: str) -> dict[str, Any]:
        return {
            "id": f"in_{name}{till.user}",
            "object": "invoice",
            "customer": till.customer["id"],
            "subscription": subscription["id"],
            "payment_intent": f"pi_{name}{till.user}",
            "status": "paid",
            "billing_reason": reason,
            "amount_paid": 900,
            "created": at,
        }

    invoice = bill("1", till.now, reason)
    await till.tell("invoice.paid", invoice)
    charge = till.build_charge(invoice["payment_intent"], refunded=True)
    await till.tell("charge.refunded", charge)
    takes = reason == "subscription_cycle"
    assert bool(await till.read_end()) is not takes
    await till.tell("invoice.paid", bill("2", till.now + 1, "subscription_cycle"))
    assert await till.read_end() == write_time(till.end + LEEWAY)
