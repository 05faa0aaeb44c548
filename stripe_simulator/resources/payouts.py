"""Payouts: money on its way to the seller's bank, as the Dashboard sends it."""

from stripe_simulator.errors import invalid
from stripe_simulator.parameters import metadata, optional, required
from stripe_simulator.resources import balance_transactions
from stripe_simulator.resources.object_update import update_object
from stripe_simulator.settings import DAY
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def create(world: World, params: JSON) -> JSON:
    """POST /v1/payouts: pending until the bank answers."""
    payout: JSON = {
        "id": world.ids.timed("po", world.now),
        "object": "payout",
        "amount": required(params, "amount"),
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": world.now + 2 * DAY,
        "automatic": False,
        "balance_transaction": None,
        "created": world.now,
        "currency": required(params, "currency"),
        "description": optional(params, "description"),
        "destination": None,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": metadata(params),
        "method": optional(params, "method", "standard"),
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": optional(params, "statement_descriptor"),
        "status": "pending",
        "trace_id": None,
        "type": "bank_account",
    }
    transaction = balance_transactions.book(world, payout, -payout["amount"], "payout")
    payout["balance_transaction"] = transaction["id"]
    world.add(payout)
    world.record("payout.created", payout)
    return payout


def update(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/payouts/:id."""
    return update_object(world, "payout", id, params)


def cancel(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/payouts/:id/cancel."""
    payout = _pending(world, id)
    payout["status"] = "canceled"
    world.record("payout.canceled", payout)
    return payout


def finish(world: World, id: str, outcome: str) -> JSON:
    """The bank takes the money, or sends it back: `outcome` is paid or failed."""
    payout = _pending(world, id)
    payout["status"] = outcome
    if outcome == "failed":
        payout |= {"failure_code": "account_closed", "failure_message": "The account is closed."}
    world.record(f"payout.{outcome}", payout)
    return payout


def _pending(world: World, id: str) -> JSON:
    payout = world.get("payout", id)
    if payout["status"] != "pending":
        raise invalid(f"This payout is {payout['status']}.", "payout")
    return payout
