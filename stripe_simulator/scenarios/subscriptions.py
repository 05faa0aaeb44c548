"""Scenarios of a subscription, from its trial to its end."""

from stripe_simulator.resources.subscription_states import is_live
from stripe_simulator.scenarios.scenario import Fields, call, scenario
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

_SUBSCRIPTION = "subscription"
#: A draft of a renewal is final after an hour.
_FINAL_SECONDS = 3_601


def _renews(sub: JSON) -> bool:
    return sub["status"] in ("active", "past_due", "unpaid") and not sub["cancel_at"]


def _ends(sub: JSON) -> bool:
    return is_live(sub) and bool(sub["cancel_at"])


def _continues(sub: JSON) -> bool:
    return is_live(sub) and not sub["cancel_at"]


def _update(world: World, sub: JSON, params: JSON) -> None:
    call(world, "POST", f"/v1/subscriptions/{sub['id']}", params)


@scenario(_SUBSCRIPTION, "Renew: advance the clock to the next period", _renews)
def renew(world: World, sub: JSON, fields: Fields) -> None:
    """The period ends, and an hour later the invoice of the next one is paid or fails."""
    end = min(item["current_period_end"] for item in sub["items"]["data"])
    world.clock.advance_to(end + _FINAL_SECONDS)


@scenario(_SUBSCRIPTION, "Let the next payment fail", is_live)
def use_declining_card(world: World, sub: JSON, fields: Fields) -> None:
    """The subscription's card declines from now on; it is attached without an error."""
    _use_card(world, sub, "pm_card_chargeCustomerFail")


@scenario(_SUBSCRIPTION, "Let the next payment need authentication", is_live)
def use_card_with_authentication(world: World, sub: JSON, fields: Fields) -> None:
    """The bank asks the customer for each payment when the customer is away."""
    _use_card(world, sub, "pm_card_authenticationRequired")


@scenario(_SUBSCRIPTION, "Use a card that works", is_live)
def use_good_card(world: World, sub: JSON, fields: Fields) -> None:
    """Later payments succeed."""
    _use_card(world, sub, "pm_card_visa")


@scenario(_SUBSCRIPTION, "End the trial now", lambda sub: sub["status"] == "trialing")
def end_trial(world: World, sub: JSON, fields: Fields) -> None:
    """The first payment is due."""
    _update(world, sub, {"trial_end": "now"})


@scenario(_SUBSCRIPTION, "Cancel at the period's end", _continues)
def cancel_at_period_end(world: World, sub: JSON, fields: Fields) -> None:
    """The subscription continues until then."""
    _update(world, sub, {"cancel_at_period_end": True})


@scenario(_SUBSCRIPTION, "Don't cancel", _ends)
def keep(world: World, sub: JSON, fields: Fields) -> None:
    """Take the cancellation back."""
    _update(world, sub, {"cancel_at_period_end": False})


@scenario(_SUBSCRIPTION, "End: advance the clock to the cancellation", _ends)
def end(world: World, sub: JSON, fields: Fields) -> None:
    """The date of the cancellation comes."""
    world.clock.advance_to(sub["cancel_at"])


@scenario(_SUBSCRIPTION, "Cancel now", is_live)
def cancel_now(world: World, sub: JSON, fields: Fields) -> None:
    """The subscription ends without a refund."""
    call(world, "DELETE", f"/v1/subscriptions/{sub['id']}")


@scenario(
    _SUBSCRIPTION, "Pause collection", lambda sub: is_live(sub) and not sub["pause_collection"]
)
def pause_collection(world: World, sub: JSON, fields: Fields) -> None:
    """Invoices of the pause are void."""
    _update(world, sub, {"pause_collection": {"behavior": "void"}})


@scenario(
    _SUBSCRIPTION, "Resume collection", lambda sub: is_live(sub) and bool(sub["pause_collection"])
)
def resume_collection(world: World, sub: JSON, fields: Fields) -> None:
    """Invoices are collected again."""
    _update(world, sub, {"pause_collection": ""})


@scenario(_SUBSCRIPTION, "Resume", lambda sub: sub["status"] == "paused")
def resume(world: World, sub: JSON, fields: Fields) -> None:
    """A subscription continues that was paused at the end of its trial."""
    call(world, "POST", f"/v1/subscriptions/{sub['id']}/resume")


def _use_card(world: World, sub: JSON, card: str) -> None:
    path = f"/v1/payment_methods/{card}/attach"
    method = call(world, "POST", path, {"customer": sub["customer"]})
    _update(world, sub, {"default_payment_method": method["id"]})
