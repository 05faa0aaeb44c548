"""Line items of Checkout: what a customer is about to buy."""

from stripe_simulator.errors import invalid
from stripe_simulator.parameters import listing, metadata
from stripe_simulator.resources import (
    coupons,
    discounts,
    invoice_lines,
    prices,
    redemptions,
    subscription_items,
)
from stripe_simulator.resources.redemptions import Purchase
from stripe_simulator.snapshots import JSON, snapshot
from stripe_simulator.world import World


def build(world: World, params: JSON, place: int = 0) -> JSON:
    """One line item from its parameters."""
    price = prices.resolve(world, params, f"line_items[{place}][price]")
    subscription_items.refuse_quantity(price, params, f"line_items[{place}]")
    metered = subscription_items.is_metered(price)
    quantity = None if metered else int(params.get("quantity") or 1)
    product = world.get("product", price["product"])
    adjustable = params.get("adjustable_quantity")
    item: JSON = {
        "id": world.ids.plain("li"),
        "object": "item",
        "adjustable_quantity": _adjustable(adjustable) if adjustable else None,
        "amount_discount": 0,
        "amount_subtotal": 0,
        "amount_tax": 0,
        "amount_total": 0,
        "currency": price["currency"],
        "description": product["name"],
        "metadata": metadata(params),
        "price": snapshot(price),
        "quantity": quantity,
    }
    return item


def total_up(world: World, items: list[JSON], sources: list[JSON], trial: bool) -> None:
    """Compute the amounts of every item; discounts are spread over the items in order."""
    for item in items:
        free = trial and item["price"]["type"] == "recurring"
        subtotal = 0 if free else prices.amount(world, item["price"], item["quantity"] or 0)
        item |= {"amount_subtotal": subtotal, "amount_discount": 0, "amount_total": subtotal}
    for source in sources:
        coupon = coupon_of(world, source)
        only = redemptions.applies_to(world, coupon["id"])
        _take_off([i for i in items if not only or i["price"]["product"] in only], coupon)


def coupon_of(world: World, source: JSON) -> JSON:
    """Return the coupon that a session's discount names."""
    if source.get("promotion_code"):
        code = world.get("promotion_code", source["promotion_code"], "discounts")
        return world.get("coupon", code["promotion"]["coupon"], "discounts")
    return world.get("coupon", source.get("coupon") or "", "discounts")


def of_session(world: World, session_id: str) -> list[JSON]:
    """A session's line items."""
    items: list[JSON] = world.facts("line_items").get(session_id, [])
    return items


def as_list(world: World, session_id: str) -> JSON:
    """A session's line items as Stripe's list, for `expand[]=line_items`."""
    items = of_session(world, session_id)
    return listing(items, f"/v1/checkout/sessions/{session_id}/line_items")


def set_quantity(item: JSON, quantity: int) -> None:
    """Change an adjustable quantity, as a customer does on the page."""
    adjustable = item["adjustable_quantity"]
    if not adjustable or not adjustable["enabled"]:
        raise invalid("The quantity of this line item cannot be changed.", "quantity")
    if not adjustable["minimum"] <= quantity <= adjustable["maximum"]:
        raise invalid("The quantity is out of bounds.", "quantity")
    item["quantity"] = quantity


def invoice_line(world: World, item: JSON, session: JSON) -> JSON:
    """The line of a one-time payment's invoice."""
    return invoice_lines.build(
        world,
        item["amount_subtotal"],
        item["currency"],
        description=item["description"],
        pricing=invoice_lines.pricing(item["price"]),
        quantity=item["quantity"],
    )


def session_discounts(world: World, session: JSON) -> list[str]:
    """Redeem a session's discounts for its one-time invoice or payment."""
    owner = {"customer": session["customer"], "checkout_session": session["id"]}
    purchase = purchase_of(world, session["customer"], of_session(world, session["id"]))
    given = session["discounts"] or []
    return [discounts.give(world, source, purchase, **owner)["id"] for source in given]


def purchase_of(world: World, customer: str | None, items: list[JSON]) -> Purchase:
    """The products and amounts that a discount of a session applies to."""
    return Purchase(
        customer,
        items[0]["currency"],
        frozenset(item["price"]["product"] for item in items),
        sum(prices.amount(world, item["price"], item["quantity"] or 0) for item in items),
    )


def _take_off(items: list[JSON], coupon: JSON) -> None:
    left = coupons.amount_off(coupon, sum(item["amount_total"] for item in items))
    for item in items:
        if coupon["percent_off"] is not None:
            off = coupons.amount_off(coupon, item["amount_total"])
        else:
            off = min(left, item["amount_total"])
        left -= off
        item["amount_discount"] += off
        item["amount_total"] -= off


def _adjustable(given: JSON) -> JSON:
    enabled = bool(given.get("enabled"))
    return {
        "enabled": enabled,
        "maximum": given.get("maximum", 99) if enabled else None,
        "minimum": given.get("minimum", 0) if enabled else None,
    }
