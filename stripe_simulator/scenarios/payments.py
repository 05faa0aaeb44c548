"""Scenarios of money: payments, refunds, disputes, payouts, open Checkout Sessions."""

from stripe_simulator.http import actions
from stripe_simulator.scenarios.scenario import Fields, call, read_number, scenario
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

_OPEN_DISPUTE = ("needs_response", "under_review")


def _left(charge: JSON) -> int:
    return int(charge["amount"] - charge["amount_refunded"])


def _is_refundable(charge: JSON) -> bool:
    return charge["status"] == "succeeded" and not charge["disputed"] and _left(charge) > 0


def _is_disputable(charge: JSON) -> bool:
    return charge["status"] == "succeeded" and not charge["disputed"]


@scenario("charge", "Refund in full", _is_refundable)
def refund(world: World, charge: JSON, fields: Fields) -> None:
    """All that is left goes back."""
    call(world, "POST", "/v1/refunds", {"charge": charge["id"]})


@scenario(
    "charge",
    "Refund a part",
    lambda charge: _is_refundable(charge) and _left(charge) > 1,
    ("Amount in the smallest unit", lambda charge: _left(charge) // 2),
)
def refund_part(world: World, charge: JSON, fields: Fields) -> None:
    """An amount goes back."""
    call(world, "POST", "/v1/refunds", {"charge": charge["id"], "amount": read_number(fields)})


@scenario("charge", "Dispute", _is_disputable)
def dispute(world: World, charge: JSON, fields: Fields) -> None:
    """The customer's bank takes the money back."""
    actions.dispute(world, "", {"charge": charge["id"]})


@scenario("refund", "Let the bank send it back", lambda refund: refund["status"] == "succeeded")
def fail_refund(world: World, refund: JSON, fields: Fields) -> None:
    """The refund fails, for example because the card's account is closed."""
    actions.fail_refund(world, refund["id"], {})


@scenario("dispute", "Submit evidence", lambda dispute: dispute["status"] == "needs_response")
def submit_evidence(world: World, dispute: JSON, fields: Fields) -> None:
    """The bank reviews the evidence."""
    evidence = {"evidence": {"product_description": "A subscription"}}
    call(world, "POST", f"/v1/disputes/{dispute['id']}", evidence)


@scenario("dispute", "Win", lambda dispute: dispute["status"] in _OPEN_DISPUTE)
def win(world: World, dispute: JSON, fields: Fields) -> None:
    """The bank gives the money back."""
    actions.close_dispute(world, dispute["id"], {"status": "won"})


@scenario("dispute", "Lose", lambda dispute: dispute["status"] in _OPEN_DISPUTE)
def lose(world: World, dispute: JSON, fields: Fields) -> None:
    """The customer keeps the money."""
    actions.close_dispute(world, dispute["id"], {"status": "lost"})


@scenario("payout", "Arrive at the bank", lambda payout: payout["status"] == "pending")
def pay_out(world: World, payout: JSON, fields: Fields) -> None:
    """The bank takes the money."""
    actions.finish_payout(world, payout["id"], {"outcome": "paid"})


@scenario("payout", "Fail", lambda payout: payout["status"] == "pending")
def fail_payout(world: World, payout: JSON, fields: Fields) -> None:
    """The bank refuses the money."""
    actions.finish_payout(world, payout["id"], {"outcome": "failed"})


@scenario("payout", "Cancel", lambda payout: payout["status"] == "pending")
def cancel_payout(world: World, payout: JSON, fields: Fields) -> None:
    """The seller takes it back."""
    call(world, "POST", f"/v1/payouts/{payout['id']}/cancel")


@scenario(
    "payment_intent", "Pass the bank's check", lambda intent: intent["status"] == "requires_action"
)
def authenticate(world: World, intent: JSON, fields: Fields) -> None:
    """The customer authenticates the payment."""
    actions.authenticate(world, intent["id"], {})


@scenario(
    "payment_intent", "Fail the bank's check", lambda intent: intent["status"] == "requires_action"
)
def fail_authentication(world: World, intent: JSON, fields: Fields) -> None:
    """The customer does not authenticate the payment."""
    actions.authenticate(world, intent["id"], {"outcome": "failed"})


@scenario(
    "payment_intent", "Let the bank debit succeed", lambda intent: intent["status"] == "processing"
)
def finish_debit(world: World, intent: JSON, fields: Fields) -> None:
    """A delayed payment arrives."""
    actions.finish_payment(world, intent["id"], {})


@scenario(
    "payment_intent", "Let the bank debit fail", lambda intent: intent["status"] == "processing"
)
def fail_debit(world: World, intent: JSON, fields: Fields) -> None:
    """A delayed payment bounces."""
    actions.finish_payment(world, intent["id"], {"outcome": "failed"})


@scenario("checkout.session", "Expire", lambda session: session["status"] == "open")
def expire(world: World, session: JSON, fields: Fields) -> None:
    """The session can no longer be paid."""
    call(world, "POST", f"/v1/checkout/sessions/{session['id']}/expire")
