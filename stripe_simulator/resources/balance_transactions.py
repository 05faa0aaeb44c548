"""Balance transactions: what each movement of money did to the account's balance."""

from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

#: Stripe's fee for a charge, in cents and hundredths of the amount.
_FIXED_FEE, _SHARE = 30, 0.029


def book(
    world: World, source: JSON, amount: int, type: str, *, category: str = "", fee: int = 0
) -> JSON:
    """Keep the balance transaction of a charge, refund, dispute or payout. There is no event."""
    transaction: JSON = {
        "id": world.ids.timed("txn", world.now, "3"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": world.now,
        "balance_type": "payments",
        "created": world.now,
        "currency": source["currency"],
        "description": source.get("description"),
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [_stripe_fee(source, fee)] if fee else [],
        "net": amount - fee,
        "reporting_category": category or type,
        "source": source["id"],
        "status": "available",
        "type": type,
    }
    return world.add(transaction)


def charge_fee(amount: int) -> int:
    """Stripe's fee for a charge."""
    return min(amount, _FIXED_FEE + round(amount * _SHARE))


def _stripe_fee(source: JSON, fee: int) -> JSON:
    return {
        "amount": fee,
        "application": None,
        "currency": source["currency"],
        "description": "Stripe processing fees",
        "type": "stripe_fee",
    }
