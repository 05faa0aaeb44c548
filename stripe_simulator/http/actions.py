"""Actions of customers, banks and time for the control API: (world, id, options) → object."""

from collections.abc import Callable

from stripe_simulator.resources import (
    billing,
    checkout_completion,
    disputes,
    payment_methods,
    payouts,
    refunds,
    renewals,
    subscription_states,
    tax_ids,
)
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

Action = Callable[[World, str, JSON], JSON]


def complete(world: World, id: str, given: JSON) -> JSON:
    """A customer completes Checkout; options are the fields of the page's form."""
    return checkout_completion.complete(world, id, checkout_completion.Form(**given))


def finish_delayed(world: World, id: str, given: JSON) -> JSON:
    """A delayed payment ends: `outcome` is succeeded or failed."""
    return checkout_completion.finish_delayed(world, id, given.get("outcome") != "failed")


def authenticate(world: World, id: str, given: JSON) -> JSON:
    """A customer passes the bank's check, or fails it with `outcome` failed."""
    return billing.authenticate(world, id, given.get("outcome") != "failed")


def finish_payment(world: World, id: str, given: JSON) -> JSON:
    """A processing payment intent ends: `outcome` is succeeded or failed."""
    intent = world.get("payment_intent", id)
    billing.finish_delayed(world, intent, given.get("outcome") != "failed")
    return intent


def renew(world: World, id: str, given: JSON) -> JSON:
    """Bill the next period now, without moving the clock; what has ended is not billed."""
    sub = world.get("subscription", id)
    if not subscription_states.is_live(sub):
        return sub
    renewals.enter_phase(world, sub)
    invoice = renewals.begin_next_period(world, sub, sub["items"]["data"])
    billing.finalize_draft(world, invoice["id"])
    return sub


def past_due(world: World, id: str, given: JSON) -> JSON:
    """The next payment fails: the card is replaced by one that declines, then renewed."""
    sub = world.get("subscription", id)
    method = payment_methods.card(world, "0341")
    payment_methods.attach(world, method["id"], {"customer": sub["customer"]})
    subscription_states.move(world, sub, default_payment_method=method["id"])
    return renew(world, id, given)


def fail_refund(world: World, id: str, given: JSON) -> JSON:
    """The bank sends a refund back."""
    return refunds.fail(world, id)


def dispute(world: World, id: str, given: JSON) -> JSON:
    """A bank opens a dispute over `charge`, or an `amount` of it, for a `reason`."""
    reason = given.get("reason", "fraudulent")
    return disputes.open(world, given["charge"], reason, given.get("amount"))


def close_dispute(world: World, id: str, given: JSON) -> JSON:
    """The bank decides a dispute: `status` is won or lost."""
    return disputes.close(world, id, given.get("status", "lost"))


def finish_payout(world: World, id: str, given: JSON) -> JSON:
    """The bank answers: `outcome` is paid or failed."""
    return payouts.finish(world, id, given.get("outcome", "paid"))


def verify_tax_id(world: World, id: str, given: JSON) -> JSON:
    """The authority answers: `status` is verified or unverified."""
    return tax_ids.verify(world, id, given.get("status", "verified"))


ACTIONS: dict[str, Action] = {
    "checkout/{id}/complete": complete,
    "checkout/{id}/async": finish_delayed,
    "payment_intents/{id}/authenticate": authenticate,
    "payment_intents/{id}/finish": finish_payment,
    "subscriptions/{id}/renew": renew,
    "subscriptions/{id}/past_due": past_due,
    "refunds/{id}/fail": fail_refund,
    "disputes": dispute,
    "disputes/{id}/close": close_dispute,
    "payouts/{id}/finish": finish_payout,
    "tax_ids/{id}/verify": verify_tax_id,
}
