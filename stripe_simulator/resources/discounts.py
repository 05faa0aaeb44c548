"""Discounts: a coupon given to a customer, a subscription or one invoice."""

from typing import Any

from stripe_simulator.periods import add_interval
from stripe_simulator.resources import coupons, promotion_codes, redemptions
from stripe_simulator.resources.redemptions import Purchase
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def give(world: World, source: JSON, purchase: Purchase, **owner: Any) -> JSON:
    """Redeem a coupon or promotion code for an owner; returns the kept discount."""
    code = None
    if source.get("discount"):
        return world.get("discount", source["discount"], "discounts")
    redemptions.check(world, source, purchase)
    if source.get("promotion_code"):
        code = world.get("promotion_code", source["promotion_code"], "promotion_code")
        coupon_id = code["promotion"]["coupon"]
    else:
        coupon_id = source.get("coupon") or ""
    coupon = coupons.redeem(world, coupon_id)
    if code is not None:
        promotion_codes.redeem(world, code)
    discount = _discount(world, coupon, code) | owner
    world.add(discount)
    if discount["customer"]:
        world.record("customer.discount.created", discount)
    return discount


def take_back(world: World, id: str) -> None:
    """Delete a discount."""
    discount = world.find("discount", id)
    if discount is None:
        return
    if discount["customer"]:
        world.record("customer.discount.deleted", discount)
    world.remove(discount)


def coupon_of(world: World, discount: JSON) -> JSON:
    """Return a discount's coupon, also one that was deleted since."""
    id = discount["source"]["coupon"]
    found: JSON = world.find("coupon", id) or world.facts("deleted_coupons")[id]
    return found


def in_force(world: World, ids: list[str]) -> list[JSON]:
    """Return the discounts that have not ended."""
    found = [world.find("discount", id) for id in ids]
    return [d for d in found if d and (d["end"] is None or d["end"] > world.now)]


def _discount(world: World, coupon: JSON, code: JSON | None) -> JSON:
    end = None
    if coupon["duration"] == "repeating":
        end = add_interval(world.now, "month", int(coupon["duration_in_months"] or 1))
    return {
        "id": world.ids.timed("di", world.now),
        "object": "discount",
        "checkout_session": None,
        "customer": None,
        "customer_account": None,
        "end": end,
        "invoice": None,
        "invoice_item": None,
        "promotion_code": code["id"] if code else None,
        "source": {"coupon": coupon["id"], "type": "coupon"},
        "start": world.now,
        "subscription": None,
        "subscription_item": None,
    }
