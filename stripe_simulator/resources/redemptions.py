"""Whether a coupon or promotion code may be redeemed for a purchase."""

from dataclasses import dataclass

from stripe_simulator.errors import StripeError, invalid
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


@dataclass(frozen=True, slots=True)
class Purchase:
    """The purchase that a coupon would be redeemed for."""

    customer: str | None
    currency: str
    products: frozenset[str]
    #: Without any discount, in the currency's smallest unit.
    amount: int


def check(world: World, source: JSON, purchase: Purchase, param: str = "discounts[0]") -> None:
    """Refuse a discount's coupon or promotion code that the purchase can't have."""
    coupon_id = source.get("coupon") or ""
    if source.get("promotion_code"):
        code = world.get("promotion_code", source["promotion_code"], f"{param}[promotion_code]")
        _check_code(world, code, purchase, f"{param}[promotion_code]")
        coupon_id = code["promotion"]["coupon"]
    if source.get("promotion_code") or coupon_id:
        _check_coupon(world, world.get("coupon", coupon_id, f"{param}[coupon]"), purchase, param)


def applies_to(world: World, coupon: str) -> list[str]:
    """Return the products that a coupon is for; empty for all."""
    products: list[str] = world.facts("applies_to").get(coupon, [])
    return products


def _check_coupon(world: World, coupon: JSON, purchase: Purchase, param: str) -> None:
    id, param = coupon["id"], f"{param}[coupon]"
    if coupon["redeem_by"] is not None and coupon["redeem_by"] <= world.now:
        raise invalid(f"Coupon expired: {id}", param, "coupon_expired")
    if not coupon["valid"]:
        raise invalid(f"Coupon {id} is used up and cannot be applied.", param)
    if coupon["amount_off"] is not None and coupon["currency"] != purchase.currency:
        message = f"Coupon {id} is in {coupon['currency']}, the prices are in {purchase.currency}."
        raise invalid(message, param)
    products = applies_to(world, id)
    if products and not purchase.products & set(products):
        raise invalid(f"Coupon {id} does not apply to any of these products.", param)


def _check_code(world: World, code: JSON, purchase: Purchase, param: str) -> None:
    if not code["active"] or (code["expires_at"] or world.now + 1) <= world.now:
        raise invalid("This promotion code is not active.", param, "promotion_code_inactive")
    if code["customer"] not in (None, purchase.customer):
        raise _not_redeemable("is not for this customer", param)
    limits = code["restrictions"]
    if limits["first_time_transaction"] and _has_bought(world, purchase.customer):
        raise _not_redeemable("has prior transactions", param)
    least = limits["minimum_amount"]
    if least is not None:
        if (limits["minimum_amount_currency"] or "") != purchase.currency:
            raise _not_redeemable("pays in a currency without a minimum amount", param)
        if purchase.amount < least:
            raise _not_redeemable("does not reach the minimum amount", param)


def _not_redeemable(why: str, param: str) -> StripeError:
    return invalid(
        f"This promotion code cannot be redeemed because the associated customer {why}.", param
    )


def _has_bought(world: World, customer: str | None) -> bool:
    """A successful payment or an invoice that is not void; a customer who is new has neither."""
    if customer is None:
        return False
    return any(
        charge["customer"] == customer and charge["status"] == "succeeded"
        for charge in world.all("charge").values()
    ) or any(
        invoice["customer"] == customer and invoice["status"] in ("open", "paid")
        for invoice in world.all("invoice").values()
    )
