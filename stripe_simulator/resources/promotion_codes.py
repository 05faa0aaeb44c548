"""Promotion codes: what a customer types in to get a coupon."""

from stripe_simulator.agenda import on_due
from stripe_simulator.errors import invalid
from stripe_simulator.parameters import metadata, optional, required
from stripe_simulator.resources.object_update import update_object
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def create(world: World, params: JSON) -> JSON:
    """POST /v1/promotion_codes."""
    promotion = required(params, "promotion")
    coupon = world.get("coupon", required(promotion, "coupon"), "promotion[coupon]")
    restrictions = params.get("restrictions") or {}
    _refuse_taken(world, optional(params, "code", ""), optional(params, "customer"))
    promotion_code: JSON = {
        "id": world.ids.timed("promo", world.now),
        "object": "promotion_code",
        "active": optional(params, "active", True),
        "code": optional(params, "code") or world.ids.letters(8).upper(),
        "created": world.now,
        "customer": optional(params, "customer"),
        "customer_account": None,
        "expires_at": optional(params, "expires_at"),
        "livemode": False,
        "max_redemptions": optional(params, "max_redemptions"),
        "metadata": metadata(params),
        "promotion": {"coupon": coupon["id"], "type": "coupon"},
        "restrictions": {
            "first_time_transaction": restrictions.get("first_time_transaction", False),
            "minimum_amount": restrictions.get("minimum_amount"),
            "minimum_amount_currency": restrictions.get("minimum_amount_currency"),
        },
        "times_redeemed": 0,
    }
    if promotion_code["expires_at"] is not None:
        world.clock.at(promotion_code["expires_at"], "expire_code", promotion_code["id"])
    world.add(promotion_code)
    world.record("promotion_code.created", promotion_code)
    return promotion_code


def _refuse_taken(world: World, code: str, customer: str | None) -> None:
    """Codes are unique among those that are active, ignoring case, for each customer."""
    for other in world.all("promotion_code").values():
        is_same = other["code"].lower() == code.lower() and other["customer"] == customer
        if other["active"] and is_same:
            raise invalid("An active promotion code with this code already exists.", "code")


@on_due("expire_code")
def expire_when_due(world: World, id: str) -> None:
    """A code is not active after its `expires_at`."""
    promotion_code = world.find("promotion_code", id)
    if promotion_code is not None and promotion_code["active"]:
        with world.change(promotion_code, "promotion_code.updated"):
            promotion_code["active"] = False


def update(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/promotion_codes/:id."""
    return update_object(world, "promotion_code", id, params, "active")


def by_code(world: World, code: str) -> JSON:
    """Return the active promotion code that a customer typed."""
    for promotion_code in world.all("promotion_code").values():
        if promotion_code["active"] and promotion_code["code"].lower() == code.lower():
            return promotion_code
    raise invalid("This promotion code is invalid.", "promotion_code", "promotion_code_invalid")


def redeem(world: World, promotion_code: JSON) -> None:
    """Count one redemption; the last one makes the code inactive."""
    most = promotion_code["max_redemptions"]
    with world.change(promotion_code, "promotion_code.updated"):
        promotion_code["times_redeemed"] += 1
        if most is not None and promotion_code["times_redeemed"] >= most:
            promotion_code["active"] = False
