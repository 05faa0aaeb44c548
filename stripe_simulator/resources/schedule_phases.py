"""Which phases a subscription schedule may have."""

from stripe_simulator.errors import invalid
from stripe_simulator.resources import subscription_rules
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

MAX_PHASES = 10


def check(world: World, given: list[JSON], phases: list[JSON], *, has_begun: bool) -> None:
    """Refuse phases that Stripe would not take.

    Args:
        given: the parameters of each phase.
        phases: what was made of them.
        has_begun: whether the schedule replaces phases that it has.
    """
    if has_begun and given[0].get("start_date") in (None, ""):
        message = "The first phase needs the `start_date` that it has."
        raise invalid(message, "phases[0][start_date]", "parameter_missing")
    if sum(phase["end_date"] > world.now for phase in phases) > MAX_PHASES:
        message = f"A schedule can have at most {MAX_PHASES} present and future phases."
        raise invalid(message, "phases")
    for place, (params, phase) in enumerate(zip(given, phases, strict=True)):
        _check_phase(world, params, phase, phases[0]["currency"], f"phases[{place}]")


def _check_phase(world: World, params: JSON, phase: JSON, currency: str, name: str) -> None:
    if sum(bool(params.get(each)) for each in ("end_date", "iterations", "duration")) > 1:
        message = "You may only specify one of these: end_date, iterations, duration."
        raise invalid(message, name)
    if phase["end_date"] <= phase["start_date"]:
        raise invalid("A phase must end after it starts.", f"{name}[end_date]")
    if (phase["trial_end"] or 0) > phase["end_date"]:
        raise invalid("A trial must not end after its phase.", f"{name}[trial_end]")
    prices = [world.get("price", item["price"]) for item in phase["items"]]
    subscription_rules.check_items([{"price": price} for price in prices], currency)
    for item in (phase, *phase["items"]):
        for discount in item["discounts"]:
            kinds = [kind for kind in ("coupon", "discount", "promotion_code") if discount[kind]]
            if len(kinds) != 1:
                raise invalid("A discount is one of coupon, discount, promotion_code.", name)
            world.get(kinds[0], discount[kinds[0]], f"{name}[discounts]")


def read_discounts(params: JSON) -> list[JSON]:
    """Return the discounts of a phase or an item, as the schedule shows them."""
    kinds = ("coupon", "discount", "promotion_code")
    return [{kind: each.get(kind) for kind in kinds} for each in params.get("discounts") or []]
