"""Payouts and balance transactions of the simulator."""

from tests.simulator.served import Running


async def test_a_payout_ends_once(running: Running) -> None:
    """It is pending until the bank answers, and each step is an event."""
    payouts = running.sdk.v1.payouts
    paid, failed, canceled = [
        await payouts.create_async({"amount": 500, "currency": "usd"}) for _ in range(3)
    ]
    await running.control(f"payouts/{paid.id}/finish", outcome="paid")
    await running.control(f"payouts/{failed.id}/finish", outcome="failed")
    await payouts.cancel_async(canceled.id)

    statuses = [(await payouts.retrieve_async(each.id)).status for each in (paid, failed, canceled)]
    assert statuses == ["paid", "failed", "canceled"]
    types = [event["type"] for event in running.simulator.world.events if "payout" in event["type"]]
    assert types == ["payout.created"] * 3 + ["payout.paid", "payout.failed", "payout.canceled"]


async def test_each_movement_of_money_is_booked(running: Running) -> None:
    """A charge, its refund and a payout have balance transactions that can be read and listed."""
    charged = await running.sdk.v1.payment_intents.create_async(
        {"amount": 1000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    )
    charge = await running.sdk.v1.charges.retrieve_async(str(charged.latest_charge))
    refund = await running.sdk.v1.refunds.create_async({"charge": charge.id, "amount": 400})
    payout = await running.sdk.v1.payouts.create_async({"amount": 100, "currency": "usd"})

    transactions = running.sdk.v1.balance_transactions
    found = [
        await transactions.retrieve_async(str(each.balance_transaction))
        for each in (charge, refund, payout)
    ]
    assert [each.net for each in found] == [941, -400, -100]
    listed = (await transactions.list_async({"source": charge.id})).data
    assert [each.id for each in listed] == [found[0].id]
