"""Reads Stripe's objects as every API version from 2020 to 2026-10-28.endive shapes them.

The webhook endpoint's version decides the shape, not the SDK's, so a receiver meets all of them.
Values come out as PocketBase columns take them: "" for an absent text, date or relation.
"""

import math
from typing import Any

from gateway.dates import unix_to_column
from gateway.ids import record_id
from gateway.rows import Json


def as_text(value: Any) -> str:
    """Return a text column; values that are neither text nor numbers become ""."""
    if isinstance(value, str):
        return value
    # A tuple, because a union of types would be created for each value.
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def as_number(value: Any) -> int | float:
    """A number column; decimals come as strings since dahlia."""
    if isinstance(value, bool):
        return 0
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return 0
    if not math.isfinite(found):
        return 0
    return value if isinstance(value, int) else found


def created_at(item: Json) -> Any:
    """When an object was created, in unix seconds: invoice items call it ``date``."""
    return item["created"] if "created" in item else item.get("date")


def stripe_id(value: Any) -> str:
    """The id behind an expandable field: an id, the expanded object, or nothing."""
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) else ""


def relation(value: Any) -> str:
    """A relation column from an expandable field."""
    found = stripe_id(value)
    return record_id(found) if found else ""


def as_dict(value: Any) -> Json:
    """A hash; {} for anything else."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Json]:
    """The objects of a Stripe list, or of a plain array."""
    if isinstance(value, dict):
        value = value.get("data")
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def as_texts(value: Any) -> list[str]:
    """The texts of an array; [] for anything else."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def subscription_period(subscription: Json) -> tuple[str, str]:
    """Start and end of the current period: on the items since basil, on the subscription before.

    Items can have periods of their own; the subscription's is from first start to first end.
    """
    items = as_list(subscription.get("items"))
    starts = filter(None, [unix_to_column(item.get("current_period_start")) for item in items])
    ends = filter(None, [unix_to_column(item.get("current_period_end")) for item in items])
    start = min(starts, default=unix_to_column(subscription.get("current_period_start")))
    end = min(ends, default=unix_to_column(subscription.get("current_period_end")))
    return start, end


def subscription_cancel_at(subscription: Json) -> str:
    """Return when the subscription ends: since clover, a Portal cancellation sets only this."""
    if subscription.get("cancel_at"):
        return unix_to_column(subscription["cancel_at"])
    return subscription_period(subscription)[1] if subscription.get("cancel_at_period_end") else ""


def item_price(item: Json) -> Json:
    """The price of a subscription item or line item, as a hash with at least ``id`` when known.

    ``price`` came with 2020-08-27; before it was ``plan``; invoice lines have ``pricing`` since
    basil.
    """
    price = item.get("price")
    if isinstance(price, dict) and price.get("id"):
        return price
    pricing = as_dict(as_dict(item.get("pricing")).get("price_details"))
    for value in (price, pricing.get("price"), item.get("plan")):
        if isinstance(value, dict) and value.get("id"):
            return value
        if isinstance(value, str) and value:
            return {"id": value, "product": pricing.get("product")}
    return {}


def line_origin(line: Json) -> Json:
    """The origin of an invoice line, with ``subscription_item`` and ``proration``.

    Under ``parent`` since basil, in the hash of its type; in the line itself before.
    """
    parent = as_dict(line.get("parent"))
    for kind in ("subscription_item_details", "invoice_item_details"):
        if details := as_dict(parent.get(kind)):
            return details
    return line


def line_discount(line: Json) -> int | float:
    """The discounts and billing credits of a line, which its ``amount`` does not include.

    ``pretax_credit_amounts`` lists the discounts a second time.
    """
    credits = as_list(line.get("pretax_credit_amounts"))
    taken = as_list(line.get("discount_amounts")) + [
        each for each in credits if each.get("type") == "credit_balance_transaction"
    ]
    return sum(as_number(each.get("amount")) for each in taken)


def line_tax(line: Json) -> int | float:
    """The taxes of an invoice line: ``taxes`` since basil, ``tax_amounts`` before."""
    return _sum_amounts(line.get("taxes") or line.get("tax_amounts"))


def invoice_tax(invoice: Json) -> int | float:
    """All taxes of an invoice: ``total_taxes`` since basil, ``tax`` before."""
    return _sum_amounts(invoice.get("total_taxes")) or as_number(invoice.get("tax"))


def _sum_amounts(value: Any) -> int | float:
    return sum(as_number(each.get("amount")) for each in as_list(value))


def invoice_subscription(invoice: Json) -> str:
    """The subscription an invoice is for: under ``parent`` since basil, at the top before."""
    details = as_dict(as_dict(invoice.get("parent")).get("subscription_details"))
    return stripe_id(details.get("subscription")) or stripe_id(invoice.get("subscription"))


def invoice_payment(invoice: Json) -> str:
    """The PaymentIntent of an invoice, where the payload names it.

    Until basil it stood at the top; since then it is listed in ``payments``, if that is included.
    """
    if invoice.get("payment_intent"):
        return stripe_id(invoice["payment_intent"])
    for payment in as_list(invoice.get("payments")):
        found = stripe_id(as_dict(payment.get("payment")).get("payment_intent"))
        if found and payment.get("is_default", True):
            return found
    return ""


def card(payment_method_details: Any) -> Json:
    """Brand, last four digits and expiry, of whichever kind of payment method has them."""
    details = as_dict(payment_method_details)
    return as_dict(details.get(as_text(details.get("type"))))
