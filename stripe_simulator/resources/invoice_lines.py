"""Invoice lines: what each amount on an invoice is for."""

from decimal import Decimal
from typing import Any

from stripe_simulator.resources import prices
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def build(world: World, amount: int, currency: str, **fields: Any) -> JSON:
    """A line of an amount; other fields are Stripe's."""
    line: JSON = {
        "id": world.ids.timed("il", world.now),
        "object": "line_item",
        "amount": amount,
        "currency": currency,
        "description": None,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "parent": None,
        "period": {"end": world.now, "start": world.now},
        "pretax_credit_amounts": [],
        "pricing": None,
        "quantity": 1,
        "subscription": None,
        "subtotal": amount,
        "taxes": [],
    }
    return line | fields


def of_subscription_item(
    world: World, sub: JSON, item: JSON, quantity: Decimal | None = None
) -> JSON:
    """The line for one period of a subscription item; nothing is due in a trial."""
    price = item["price"]
    number = Decimal(item.get("quantity", 1)) if quantity is None else quantity
    free = sub["status"] == "trialing"
    amount = 0 if free else prices.amount(world, price, number)
    product = world.find("product", price["product"])
    name = product["name"] if product else price["product"]
    details = {
        "invoice_item": None,
        "proration": False,
        "proration_details": {"credited_items": None},
        "subscription": sub["id"],
        "subscription_item": item["id"],
    }
    return build(
        world,
        amount,
        price["currency"],
        description=f"Trial period for {name}" if free else f"{number.normalize():f} x {name}",
        metadata=dict(sub["metadata"]),
        parent=_parent("subscription_item_details", details),
        period={"end": item["current_period_end"], "start": item["current_period_start"]},
        pricing=pricing(price),
        quantity=round(number),
        subscription=sub["id"],
    )


def of_invoice_item(world: World, invoice_item: JSON) -> JSON:
    """The line that a pending invoice item becomes."""
    subscription = ((invoice_item["parent"] or {}).get("subscription_details") or {}).get(
        "subscription"
    )
    details = {
        "invoice_item": invoice_item["id"],
        "proration": invoice_item["proration"],
        "proration_details": {"credited_items": None},
        "subscription": subscription,
    }
    return build(
        world,
        invoice_item["amount"],
        invoice_item["currency"],
        description=invoice_item["description"],
        discountable=invoice_item["discountable"],
        metadata=dict(invoice_item["metadata"]),
        parent=_parent("invoice_item_details", details),
        period=dict(invoice_item["period"]),
        pricing=invoice_item["pricing"],
        quantity=invoice_item["quantity"],
        subscription=subscription,
    )


def pricing(price: JSON) -> JSON:
    """The source of a line's amount."""
    return {
        "price_details": {"price": price["id"], "product": price["product"]},
        "type": "price_details",
        "unit_amount_decimal": price["unit_amount_decimal"],
    }


def _parent(type: str, details: JSON) -> JSON:
    other = {"invoice_item_details", "subscription_item_details"} - {type}
    return {type: details, "type": type} | dict.fromkeys(other)
