"""Coupons: how much is taken off, and for how long."""

from stripe_simulator.agenda import on_due
from stripe_simulator.errors import invalid
from stripe_simulator.parameters import metadata, optional
from stripe_simulator.resources.object_update import update_object
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def create(world: World, params: JSON) -> JSON:
    """POST /v1/coupons."""
    if bool(params.get("percent_off")) == bool(params.get("amount_off")):
        raise invalid("Must provide percent_off or amount_off.", "percent_off")
    coupon: JSON = {
        "id": optional(params, "id") or world.ids.letters(8),
        "object": "coupon",
        "amount_off": optional(params, "amount_off"),
        "created": world.now,
        "currency": optional(params, "currency"),
        "duration": optional(params, "duration", "once"),
        "duration_in_months": optional(params, "duration_in_months"),
        "livemode": False,
        "max_redemptions": optional(params, "max_redemptions"),
        "metadata": metadata(params),
        "name": optional(params, "name"),
        "percent_off": optional(params, "percent_off"),
        "redeem_by": optional(params, "redeem_by"),
        "times_redeemed": 0,
        "valid": True,
    }
    if coupon["id"] in world.all("coupon"):
        raise invalid("Coupon already exists.", "id", "resource_already_exists")
    _check_terms(world, coupon)
    if products := (params.get("applies_to") or {}).get("products"):
        world.facts("applies_to")[coupon["id"]] = list(products)
    if coupon["percent_off"] is not None and not 0 < coupon["percent_off"] <= 100:
        raise invalid("percent_off must be above 0 and at most 100.", "percent_off")
    if (coupon["duration"] == "repeating") != (coupon["duration_in_months"] is not None):
        message = "duration_in_months goes with duration `repeating`."
        raise invalid(message, "duration_in_months")
    if coupon["redeem_by"] is not None:
        world.clock.at(coupon["redeem_by"], "expire_coupon", coupon["id"])
    world.add(coupon)
    world.record("coupon.created", coupon)
    return coupon


def _check_terms(world: World, coupon: JSON) -> None:
    if coupon["amount_off"] is not None and not coupon["currency"]:
        raise invalid("Must provide currency when amount_off is provided.", "currency")
    if coupon["redeem_by"] is not None and coupon["redeem_by"] <= world.now:
        raise invalid("The date must be in the future.", "redeem_by")


@on_due("expire_coupon")
def expire_when_due(world: World, id: str) -> None:
    """A coupon after its `redeem_by`; Stripe sends no event."""
    coupon = world.find("coupon", id)
    if coupon is not None and (coupon["redeem_by"] or 0) <= world.now:
        coupon["valid"] = False


def update(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/coupons/:id."""
    return update_object(world, "coupon", id, params, "name")


def delete(world: World, id: str, params: JSON) -> JSON:
    """DELETE /v1/coupons/:id; discounts given already stay."""
    coupon = world.get("coupon", id)
    world.facts("deleted_coupons")[id] = dict(coupon)
    world.record("coupon.deleted", coupon)
    return world.remove(coupon)


def redeem(world: World, id: str) -> JSON:
    """Count one redemption; Stripe sends no event for the coupon itself."""
    coupon = world.get("coupon", id, "coupon")
    if not coupon["valid"]:
        raise invalid(f"Coupon expired: {id}", "coupon", "coupon_expired")
    coupon["times_redeemed"] += 1
    most, until = coupon["max_redemptions"], coupon["redeem_by"]
    used_up = most is not None and coupon["times_redeemed"] >= most
    coupon["valid"] = not used_up and not (until is not None and until <= world.now)
    return coupon


def amount_off(coupon: JSON, amount: int) -> int:
    """Return what a coupon takes off an amount; never more than the amount."""
    if coupon["percent_off"] is not None:
        return round(amount * float(coupon["percent_off"]) / 100)
    return min(amount, int(coupon["amount_off"] or 0))
